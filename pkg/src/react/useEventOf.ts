import { useEffect, useInsertionEffect } from "react";
import type { Connection } from "../connection.js";
import { attempt } from "../host/handlers.js";
import { useKeyed } from "./keyed.js";
import { type Hear, Listener } from "./listener.js";

/** What an event's handler has not been told yet, because its component is not there yet. */
class Inbox {
  handler: Hear = () => {};
  #early: Parameters<Hear>[] | undefined = [];
  #isShown = true;

  readonly hear: Hear = (...event) => {
    if (!this.#early) {
      if (this.#isShown) this.handler(...event);
    } else if (this.#early.length < MOST_EARLY) this.#early.push(event);
  };

  show(): void {
    this.#isShown = true;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) attempt(() => this.handler(...event));
  }

  /** The component is gone, or hidden by an `<Activity>`. */
  hide(): void {
    this.#isShown = false;
  }
}

/** How many events wait for a component at most, which is several seconds of a flood. Those that come after them are passed over. */
const MOST_EARLY = 10_000;

interface Ear {
  readonly inbox: Inbox;
  readonly listener: Listener;
}

function makeEar(connection: Connection, event: string): Ear {
  const inbox = new Inbox();
  return { inbox, listener: new Listener(connection, event, inbox.hear) };
}

export function useEventOf(connection: Connection, event: string, handler: Hear): void {
  const { inbox, listener } = useKeyed(makeEar, connection, event);
  useInsertionEffect(() => {
    inbox.handler = handler;
  });
  // Effects of this kind come before all others, so nothing can have opened the connection yet that this rendering opens.
  useInsertionEffect(() => listener.commit(), [listener]);
  useEffect(() => {
    inbox.show();
    return () => inbox.hide();
  }, [inbox]);
  useEffect(() => connection.hold(), [connection]);
}
