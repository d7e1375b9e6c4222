import { authorization } from "./devServer";
import type { Emotion } from "./emotion";
import { post } from "./http";

/** What the application's chat endpoint says. The answer itself comes over the connection, as it is written. */
export interface TutorAnswer {
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
