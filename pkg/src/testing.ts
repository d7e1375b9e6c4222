/**
 * For the tests of apps: a server in memory that speaks the Everwire protocol, a virtual clock, and a script of faults. It needs no test runner, fits vitest, jest and
 * `node:test`, and never reaches the network.
 *
 * @module everwire/testing
 */
export { type Settling, type VirtualClock, type VirtualClockOptions, virtualClock } from "./testing/clock.js";
export type { TestConnection } from "./testing/connection.js";
export type {
  MessageContext,
  MessageHandler,
  PublishOptions,
  ReceivedMessage,
  RefusedMessage,
} from "./testing/context.js";
export type { HistoryPage, HistoryQuery } from "./testing/conversations.js";
export { type ColabMatchOptions, colabmatch, type Dialect, type DialectName, masterx } from "./testing/dialects.js";
export type { Data } from "./testing/envelope.js";
export type { FaultStep, Faults, MessageRefusal, RestartOptions } from "./testing/faults.js";
export type { AuthenticationOptions } from "./testing/greeting.js";
export type { ConnectionRefusal, FrameFilter } from "./testing/network.js";
export { TestServerError } from "./testing/problem.js";
export { type SeededCrypto, seedCrypto, seededRandom } from "./testing/random.js";
export { TestServer } from "./testing/server.js";
export type { AnyEventData, EmitOptions, TestServerOptions, UserFilter } from "./testing/serverOptions.js";
