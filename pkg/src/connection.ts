import type { NativeSocketClient, Snapshot } from "everwire";
import { attempt } from "./host/handlers.js";

/** A client that is connected while somebody uses it. */
export class Connection {
  readonly #make: () => NativeSocketClient;
  /** Whether the client is somebody else's, who decides when it disconnects. */
  readonly #isGiven: boolean;
  #made: NativeSocketClient | undefined;
  #users = 0;
  /** Whether nobody else had asked for the connection. */
  #isOurs = false;
  readonly #dueWithFrame = new Set<() => void>();

  /** @param given A client that is there already, instead of one that is made. */
  constructor(make: () => NativeSocketClient, given?: NativeSocketClient) {
    this.#make = make;
    this.#made = given;
    this.#isGiven = given !== undefined;
  }

  /** The client, made with the first use, never while rendering on a server. */
  get client(): NativeSocketClient {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** The client, if there is one yet. */
  get made(): NativeSocketClient | undefined {
    return this.#made;
  }

  readonly getSnapshot = (): Snapshot => this.#made?.getSnapshot() ?? IDLE;

  /**
   * Connects for the first user. Disconnects after the last, unless somebody else has connected before, or owns the client.
   */
  readonly use = (changed: () => void): (() => void) => {
    const { client } = this;
    const unsubscribe = client.subscribe(changed);
    if (this.#users++ === 0) {
      this.#isOurs ||= !this.#isGiven && ["idle", "closing"].includes(client.getSnapshot().phase);
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

  /** Uses the connection without looking at it. */
  readonly hold = (): (() => void) => this.use(() => {});

  /** Calls a function before the next frame is painted, once; in a page that paints none, within a second. */
  withFrame(act: () => void): void {
    const due = this.#dueWithFrame;
    due.add(act);
    if (due.size > 1) return;
    let frame: number | undefined;
    const run = (): void => {
      clearTimeout(timer);
      if (frame !== undefined) cancelAnimationFrame(frame);
      const acts = [...due];
      due.clear();
      acts.forEach(attempt);
    };
    // Hidden pages paint nothing, but have a title that may say what is new.
    const timer = setTimeout(run, 1_000);
    frame = globalThis.requestAnimationFrame?.(run);
  }

  readonly emit: NativeSocketClient["send"] = (event, ...args) => this.client.send(event, ...args);
  readonly subscribe = ((event: string, handler: (data: unknown, message: unknown) => void) =>
    this.client.on(event, handler)) as NativeSocketClient["on"];
  readonly reconnect = (): void => this.client.reconnect();
  readonly disconnect = (): void => this.client.disconnect();
}

/** What there is to see before anything was asked for, and on servers. */
export const IDLE: Snapshot = /* @__PURE__ */ Object.freeze({
  state: "closed",
  phase: "idle",
  attempt: 0,
  retryAt: null,
  close: null,
  error: null,
  queued: 0,
  queuedBytes: 0,
  lastRttMs: null,
  delivery: null,
  hasRoom: true,
  protocolErrors: 0,
});

function connect(client: NativeSocketClient): void {
  try {
    client.connect();
  } catch {
    // The snapshot's `error` says what is wrong with the URL; an exception here would take down the component tree.
  }
}
