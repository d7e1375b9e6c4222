/** A message as it came from the server. */
export interface Envelope<Type extends string = string, Data = unknown> {
  /** The name of the event. */
  readonly type: Type;
  /** The payload. */
  readonly data: Data;
  /** When the server sent it, in milliseconds since the epoch, if it said so. */
  readonly timestamp?: number;
  /** In the reliable mode: where the event is stored, if it is. */
  readonly stream?: string;
  /** In the reliable mode: its position in the stream. Offsets grow, and may have holes. */
  readonly offset?: number;
}

/** Accepts every event with every payload. */
export interface AnyEvents {
  [event: string]: unknown;
}

/** A handler of one event. Where the payload's type is unknown, a handler may name the one that it expects. */
export type Handler<Data, Message> = unknown extends Data
  ? {
      /** Takes the payload and the message that it came in. */
      handle(data: Data, message: Message): void;
    }["handle"]
  : (data: Data, message: Message) => void;

/** A handler of every event of a map. The `type` of the message tells which `data` it has. */
export type AnyEventHandler<Events, Name extends keyof Events & string = keyof Events & string> = (
  event: Name,
  data: Events[Name],
  message: { [Each in Name]: Envelope<Each, Events[Each]> }[Name],
) => void;
