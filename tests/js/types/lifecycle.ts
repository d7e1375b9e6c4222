import {
  type CloseInfo,
  ConfigError,
  type DropReason,
  type ErrorCode,
  EverwireError,
  isClientError,
  type MessageStatus,
  NativeSocketClient,
  type SentMessage,
  type ServerErrorData,
  type Snapshot,
} from "everwire";
import { exactly } from "./assert";

const client = new NativeSocketClient();

client.on("close", (data) => exactly<CloseInfo>()(data));
client.on("state", (data) => exactly<Snapshot>()(data));
client.on("reconnecting", ({ attempt, delayMs }) => exactly<number>()(attempt + delayMs));
client.on("give_up", ({ attempts }) => exactly<number>()(attempts));
client.on("drop", ({ reason }) => exactly<DropReason>()(reason));
client.on("error", (error) => {
  exactly<EverwireError | ServerErrorData>()(error);
  exactly<string>()(error.message);
  if (isClientError(error)) {
    exactly<EverwireError>()(error);
    exactly<ErrorCode>()(error.code);
    exactly<string | null | undefined>()(error.frame);
    exactly<string | undefined>()(error.event);
  } else {
    exactly<ServerErrorData>()(error);
    exactly<string | undefined>()(error.code);
    exactly<string | undefined>()(error.about);
  }
  if (error instanceof EverwireError) exactly<ErrorCode>()(error.code);
});
// @ts-expect-error a close has no such field
client.on("close", ({ nothing }) => nothing);
// @ts-expect-error lifecycle events have no message
client.on("open", (_, message) => message.type);

const result = client.send("anything");
if (result.status === "refused") {
  exactly<ErrorCode>()(result.code);
  exactly<string>()(result.reason);
  exactly<EverwireError>()(result.error);
} else {
  exactly<Exclude<MessageStatus, "refused">>()(result.status);
  const held: SentMessage = result;
  exactly<MessageStatus>()(held.status);
  // @ts-expect-error what was sent was not refused for any reason
  result.reason;
}

const snapshot = client.getSnapshot();
exactly<EverwireError | null>()(snapshot.error);
// @ts-expect-error snapshots do not change
snapshot.queued = 5;

try {
  new NativeSocketClient();
} catch (thrown) {
  if (thrown instanceof ConfigError) {
    exactly<string>()(thrown.field);
    exactly<string>()(thrown.expected);
    exactly<"invalid_option">()(thrown.code);
    const base: EverwireError = thrown;
    const error: Error = base;
    error.message;
  }
}
