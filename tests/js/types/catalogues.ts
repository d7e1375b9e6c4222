import {
  type CoLabMatchClientEvents,
  type CoLabMatchEvents,
  type CoLabMatchServerEvents,
  EMOTIONS,
  type EmotionName,
  type MasterXClientEvents,
  type MasterXEvents,
  type MasterXServerEvents,
  NativeSocketClient,
} from "everwire";
import { exactly } from "./assert";

const masterX = new NativeSocketClient<MasterXServerEvents, MasterXClientEvents>();
masterX.send("join_session", { session_id: "s" });
masterX.send("leave_session", { session_id: "s" });
masterX.send("user_typing", { session_id: "s", isTyping: true });
masterX.send("message_sent", { session_id: "s", message: { id: "1", content: "hello", mood: "curious" } });
masterX.send("ping");
masterX.on("pong", ({ timestamp }) => exactly<string>()(timestamp));
masterX.on("emotion_update", ({ message_id, emotion }) => {
  exactly<string>()(message_id + emotion.primary_emotion);
  const { pleasure, arousal, dominance } = emotion.pad_values;
  exactly<number>()(emotion.intensity + pleasure + arousal + dominance);
  exactly<number | string | undefined>()(emotion.learning_readiness ?? emotion.cognitive_load);
  exactly<unknown>()(emotion["valence"]);
});
masterX.on("typing_indicator", ({ user_id, isTyping }) => {
  exactly<string>()(user_id);
  exactly<boolean>()(isTyping);
});
masterX.on("message_received", ({ message }) => exactly<string>()(message.role + message.timestamp + message.content));
masterX.on("message_delta", ({ session_id, message_id, thinking, text }) => {
  exactly<string>()(session_id + message_id);
  exactly<boolean | undefined>()(thinking);
  exactly<string | undefined>()(text);
});
masterX.on("notification", ({ title, text, level, link, ...more }) => {
  exactly<string | undefined>()(title ?? text ?? level ?? link);
  exactly<unknown>()(more["anything"]);
});
masterX.on("session_update", ({ difficulty, progress, feedback }) => {
  exactly<number | string | undefined>()(difficulty);
  exactly<number | undefined>()(progress);
  exactly<boolean | undefined>()(feedback?.correct);
});
masterX.on("session_members", ({ members }) => exactly<boolean | undefined>()(members[0]?.online));
masterX.on("error", ({ message }) => exactly<string>()(message));
// @ts-expect-error the field is called `session_id`
masterX.send("join_session", { sessionId: "s" });
// @ts-expect-error only the server sends it
masterX.send("emotion_update", {});

const either = new NativeSocketClient<MasterXEvents>();
either.send("join_session", { session_id: "s" });
either.on("typing_indicator", ({ isTyping }) => exactly<boolean>()(isTyping));

const match = new NativeSocketClient<CoLabMatchServerEvents, CoLabMatchClientEvents>();
match.send("join_match", { match_id: "m" });
match.send("send_message", { match_id: "m", content: "hello" });
match.send("send_message", { match_id: "m", content: "hello", client_id: "c" });
match.send("typing", { match_id: "m", is_typing: true });
match.send("read_message", { message_id: "1", match_id: "m" });
match.on("connected", () => {});
match.on("new_message", ({ id, matchId, senderId, content, createdAt, readAt, clientId }) => {
  exactly<string>()(id + matchId + senderId + content + createdAt);
  exactly<string | undefined>()(clientId);
  exactly<string | null>()(readAt);
});
match.on("user_typing", ({ match_id, user_id }) => exactly<string>()(match_id + user_id));
match.on("typing_stopped", ({ match_id, user_id }) => exactly<string>()(match_id + user_id));
match.on("user_online_status", ({ online }) => exactly<boolean>()(online));
match.on("message_read", ({ readAt }) => exactly<string>()(readAt));
match.on("session_members", ({ session_id, match_id, members }) => {
  exactly<string>()(session_id + match_id);
  exactly<boolean | undefined>()(members[0]?.online);
});
match.on("session_update", ({ session_id, match_id, status }) => exactly<string>()(session_id + match_id + status));
// @ts-expect-error `content` is missing
match.send("send_message", { match_id: "m" });

const both = new NativeSocketClient<CoLabMatchEvents>();
both.send("join_match", { match_id: "m" });
both.on("user_online_status", ({ online }) => exactly<boolean>()(online));

const joy: EmotionName = "joy";
// @ts-expect-error MasterX has no such name; what a server sends may be any text all the same
const other: EmotionName = "hangry";
exactly<27>()(EMOTIONS.length);
export const names = [joy, other];
