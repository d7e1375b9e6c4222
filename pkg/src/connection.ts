import type { NativeSocketClient, Snapshot } from "everwire";
import { makeSnapshot } from "./host/snapshot.js";

/** A client that is connected while somebody uses it. */
export class Connection {
  readonly #make: () => NativeSocketClient;
  #made: NativeSocketClient | undefined;
  #users = 0;
  /** Whether nobody else had asked for the connection. */
  #isOurs = false;

  constructor(make: () => NativeSocketClient) {
    this.#make = make;
  }

  /** The client, made with the first use, never while rendering on a server. */
  get client(): NativeSocketClient {
    this.#made ??= this.#make();
    return this.#made;
  }

  readonly getSnapshot = (): Snapshot => this.#made?.getSnapshot() ?? IDLE;

  /** Connects for the first user and disconnects after the last, unless somebody else has connected before. */
  readonly use = (changed: () => void): (() => void) => {
    const { client } = this;
    const unsubscribe = client.subscribe(changed);
    if (this.#users++ === 0) {
      this.#isOurs ||= ["idle", "closing"].includes(client.getSnapshot().phase);
      connect(client);
    }
    return () => {
      unsubscribe();
      this.#users--;
      // StrictMode and route changes unmount and mount again at once: one socket serves both.
      setTimeout(() => {
        if (this.#users > 0 || !this.#isOurs) return;
        this.#isOurs = false;
        client.disconnect();
      });
    };
  };

  readonly emit: NativeSocketClient["send"] = (event, ...args) => this.client.send(event, ...args);
  readonly subscribe = ((event: string, handler: (data: unknown, message: unknown) => void) =>
    this.client.on(event, handler)) as NativeSocketClient["on"];
  readonly reconnect = (): void => this.client.reconnect();
  readonly disconnect = (): void => this.client.disconnect();
}

/** What there is to see before anything was asked for, and on servers. */
export const IDLE: Snapshot = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ makeSnapshot());

function connect(client: NativeSocketClient): void {
  try {
    client.connect();
  } catch {
    // The snapshot's `error` says what is wrong with the URL; an exception here would take down the component tree.
  }
}
