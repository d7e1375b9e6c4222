export type { ErrorCode, ProtocolViolation } from "./errors.js";
export { ConfigError, EverwireError, isClientError } from "./errors.js";
export type * from "./events.js";
export type { Outbox, OutboxError, OutboxErrorCode, StoredMessage } from "./outbox.js";
export type {
  AnyEventHandler,
  AnyEvents,
  BufferOptions,
  CloseCause,
  CloseInfo,
  ConnectionState,
  DataArgument,
  DropReason,
  Envelope,
  Gap,
  Handler,
  HeartbeatOptions,
  LifecycleEvents,
  Logger,
  MessageStatus,
  Options,
  QueueOptions,
  ReconnectOptions,
  RequestOptions,
  SendOptions,
  SendResult,
  SentMessage,
  ServerErrorData,
  SessionRule,
  Snapshot,
  TokenFunction,
  WebSocketClass,
  WebSocketLike,
} from "./types.js";
