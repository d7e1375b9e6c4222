import { authorization } from "../devServer";
import { post } from "../http";
import type { Emotion } from "../useEmotions";

/** What the application's chat endpoint says. */
export interface TutorAnswer {
  /** The whole answer. */
  readonly message: string;
  /** The id under which the answer also streams in. */
  readonly reply_id: string;
  readonly emotion_state: Emotion;
  /** Whether the emotion is on its way to the learner's devices. */
  readonly pushed: boolean;
}

export async function askTutor(
  userId: string,
  question: { readonly session_id: string; readonly message: string; readonly message_id: string },
): Promise<TutorAnswer> {
  return (await post("/api/v1/chat", question, await authorization(userId))) as TutorAnswer;
}
