import type { TestConnection } from "./connection.js";
import type { Data } from "./envelope.js";

/** A message that the server has dealt with. */
export interface ReceivedMessage<Type extends string = string, Payload = Data> {
  /** The name of the event. */
  readonly type: Type;
  /** The payload. */
  readonly data: Payload;
  /** Who sent it. */
  readonly user: string;
  /** The connection on which it came. */
  readonly connection: TestConnection;
  /** Its sequence number; `null` if it came without one, and so at most once. */
  readonly seq: number | null;
  /** When the server began to process it, in milliseconds since the epoch, by the clock of the test. */
  readonly at: number;
}

/** A message that was refused, and why. */
export interface RefusedMessage extends ReceivedMessage {
  /** Why, for programs. */
  readonly code: string;
}

/** To whom an event of a room goes. */
export interface PublishOptions {
  /**
   * Which connection is left out. Default `"sender"`: the one that the message came from, which the sender's other devices are not. With `"nobody"` it
   * gets the event too.
   */
  readonly except?: "sender" | "nobody" | undefined;
  /**
   * Whether the event is stored in the stream of those who speak the reliable mode, so that it outlives connections. Default `true`, but `false` for what is
   * true for a moment only: typing, presence, members, deltas.
   */
  readonly stored?: boolean | undefined;
}

/** What a handler can do about a message. */
export interface MessageContext extends ReceivedMessage {
  /** Whether the client waits for a reply, as `client.request()` does. */
  readonly isRequest: boolean;
  /** Answers a request, which is `{}` otherwise; without a request it does nothing. Returning an object from the handler is the same. */
  reply(result: Data): void;
  /**
   * Refuses the message and ends the handler: the client is sent `error` with this `code`, and a numbered message counts as processed. `message` is for
   * people; default: the code.
   */
  refuse(code: string, message?: string): never;
  /** Sends an event back on the same connection, at most once. */
  send(type: string, data?: Data): void;
  /** Sends an event to everyone in a room. */
  publish(room: string, type: string, data?: Data, options?: PublishOptions): void;
  /** Makes the user a member of a room. Joining twice is the same as joining once. */
  join(room: string): void;
  /**
   * Ends what this client has joined. The user stays a member as long as another client of theirs that is connected has joined the room. Leaving twice is the same as
   * leaving once.
   */
  leave(room: string): void;
  /**
   * Whether the user may act in a room: a numbered message if they have joined it and not left, any other only if they have joined since they were last without a
   * connection.
   */
  isMember(room: string): boolean;
  /** Does what would have been done without this handler, such as the dialect's part, and returns its result. */
  next(): unknown;
}

/**
 * What the server does with messages of one type. What it returns, or resolves with, is the reply if it is an object. While a promise is pending, the messages behind it on the same
 * connection wait. One that throws refuses the message as `internal`, and `settled()` and `close()` throw what it threw.
 */
export type MessageHandler<Payload = Data> = (data: Payload, context: MessageContext) => unknown;

/** How `ctx.refuse()` ends a handler. */
export class Refusal {
  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string = code) {
    this.code = code;
    this.message = message;
  }
}
