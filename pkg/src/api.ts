export type {
  Chat,
  ChatClient,
  ChatError,
  ChatErrorMaker,
  ChatFactory,
  ChatKind,
  ChatMember,
  ChatMessage,
  ChatSendResult,
  ChatSnapshot,
  ChatStatus,
  Chats,
  InheritedFailure,
  InheritedMessage,
  InheritedMessages,
} from "./chat.js";
export type { AnyEventHandler, AnyEvents, Envelope, Handler } from "./envelope.js";
export type { ErrorCode, ProtocolViolation } from "./errors.js";
export { ConfigError, EverwireError, isClientError } from "./errors.js";
export type * from "./events.js";
export type { EventIssue, EventValidator, Gap, InvalidEvent, LifecycleEvents, ServerErrorData } from "./lifecycle.js";
export type {
  BufferOptions,
  HeartbeatOptions,
  Logger,
  Options,
  QueueOptions,
  ReconnectOptions,
  SessionRule,
  TokenFunction,
} from "./options.js";
export type { Outbox, OutboxError, OutboxErrorCode, StoredMessage } from "./outbox.js";
export type {
  DataArgument,
  DropReason,
  MessageStatus,
  RequestOptions,
  SendOptions,
  SendResult,
  SentMessage,
} from "./sending.js";
export type { CloseCause, CloseInfo, ConnectionState, Snapshot } from "./snapshot.js";
export type { WebSocketClass, WebSocketLike } from "./webSocket.js";
