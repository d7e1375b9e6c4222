/**
 * The events of one direction, as Socket.IO's own types have them: for each name the function that hears it. The last parameter may be a function, the
 * acknowledgement. No narrower, because interfaces have no index signature.
 */
export type EventsMap = object;

/** A function that hears an event of any arguments. As a method, so that one that says which it expects fits. */
export type AnyListener = {
  /** Hears the arguments of an event. */
  listener(...args: unknown[]): void;
}["listener"];

/** Any event, with any arguments. */
export interface AnyEvents {
  [event: string]: AnyListener;
}

/** The listener of an event: one of the client's own, or one of the server's. */
export type ListenerIn<Events, Own, Name> = Name extends keyof Own
  ? Own[Name]
  : Name extends keyof Events
    ? Events[Name]
    : never;

/** The names of the events of a map. */
export type EventName<Map> = keyof Map & string;

/** The arguments of an event, the acknowledgement included. */
export type EventArguments<Map, Name extends EventName<Map>> = string extends keyof Map
  ? unknown[]
  : Map[Name] extends (...args: infer Args) => unknown
    ? Args
    : never;

/** A tuple without its last member. */
export type AllButLast<Args> = Args extends [...infer Rest, infer _Last] ? Rest : Args;
/** The last member of a tuple. */
export type LastOf<Args> = Args extends [...infer _Rest, infer Last] ? Last : never;

/** The arguments of an event without the acknowledgement. */
export type ArgumentsWithoutAck<Map, Name extends EventName<Map>> = string extends keyof Map
  ? unknown[]
  : LastOf<EventArguments<Map, Name>> extends (...args: never[]) => unknown
    ? AllButLast<EventArguments<Map, Name>>
    : EventArguments<Map, Name>;

/** What the server answers to an event: the first argument of its acknowledgement, behind the error that one with a time has in front. */
export type Answer<Map, Name extends EventName<Map>> = string extends keyof Map
  ? unknown
  : LastOf<EventArguments<Map, Name>> extends (...answer: infer Answers) => unknown
    ? Answers[0] extends Error
      ? Answers[1]
      : Answers[0]
    : unknown;

/** The events of a map, whose acknowledgements are told first of an error, or `null`. */
export type WithTimeout<Map> = {
  [Name in keyof Map]: Map[Name] extends (...args: infer Args) => unknown
    ? LastOf<Args> extends (...answer: infer Answers) => unknown
      ? (...args: [...AllButLast<Args>, (error: Error, ...answer: Answers) => void]) => void
      : Map[Name]
    : Map[Name];
};

/** What a client authenticates itself by, as the server's `socket.handshake.auth`. */
export type Auth = object | ((settled: (data: object) => void) => void);
