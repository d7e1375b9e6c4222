export type { ErrorCode } from "./errors.js";
export { ConfigError, EverwireError } from "./errors.js";
export type * from "./events.js";
export type {
  AnyEvents,
  CloseInfo,
  ConnectionState,
  Envelope,
  HeartbeatOptions,
  LifecycleEvents,
  Logger,
  Options,
  QueueOptions,
  ReconnectOptions,
  SendResult,
  ServerErrorData,
  Snapshot,
  TokenFunction,
} from "./types.js";
