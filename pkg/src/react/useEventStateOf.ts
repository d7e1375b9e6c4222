import { useEffect, useInsertionEffect, useSyncExternalStore } from "react";
import type { Connection } from "../connection.js";
import { Listeners } from "../host/handlers.js";
import { useKeyed } from "./keyed.js";
import { type Hear, Listener } from "./listener.js";

/** What a reducer makes of a state and an event. */
export type Reduce<State> = (state: State, data: unknown, message: unknown) => State;

/** A state that takes every event in at once, and shows itself once a frame. */
class EventState<State> {
  reduce: Reduce<State>;
  readonly #connection: Connection;
  readonly #listeners = new Listeners();
  #isCommitted = false;
  #state: State;
  #shown: State;

  constructor(connection: Connection, reduce: Reduce<State>, initial: State) {
    this.#connection = connection;
    this.reduce = reduce;
    this.#state = initial;
    this.#shown = initial;
  }

  readonly hear: Hear = (data, message) => {
    this.#state = this.reduce(this.#state, data, message);
    this.#changed();
  };

  commit(): void {
    this.#isCommitted = true;
    this.#changed();
  }

  #changed(): void {
    // A rendering that sees a store change before it is committed is thrown away, and what this has heard with it.
    if (this.#isCommitted && !Object.is(this.#shown, this.#state)) this.#connection.withFrame(this.#show);
  }

  readonly #show = (): void => {
    if (Object.is(this.#shown, this.#state)) return;
    this.#shown = this.#state;
    this.#listeners.call();
  };

  readonly getShown = (): State => this.#shown;
  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);
}

export function useEventStateOf<State>(
  connection: Connection,
  event: string,
  reduce: Reduce<State>,
  initial: State | (() => State),
): State {
  const make = (): { state: EventState<State>; listener: Listener } => {
    const first = typeof initial === "function" ? (initial as () => State)() : initial;
    const state = new EventState(connection, reduce, first);
    return { state, listener: new Listener(connection, event, state.hear) };
  };
  const { state, listener } = useKeyed(make, connection, event);
  useInsertionEffect(() => {
    state.reduce = reduce;
  });
  useInsertionEffect(() => {
    state.commit();
    return listener.commit();
  }, [state, listener]);
  useEffect(() => connection.hold(), [connection]);
  return useSyncExternalStore(state.subscribe, state.getShown, state.getShown);
}
