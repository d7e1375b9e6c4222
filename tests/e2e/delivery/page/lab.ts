import {
  type EverwireError,
  type Gap,
  NativeSocketClient,
  type Options,
  type SendOptions,
  type Snapshot,
} from "everwire";
import { type DurableOutboxOptions, durableOutbox } from "everwire/durable";

/** What the tests do with the client of a page, and what they look at afterwards. */
export class Lab {
  /** The payloads of the application's own events, in order of arrival. */
  readonly heard: { readonly type: string; readonly data: unknown }[] = [];
  readonly gaps: Gap[] = [];
  readonly closes: string[] = [];
  readonly errors: string[] = [];
  readonly drops: string[] = [];
  /** How many protocol errors were reported on each connection. */
  readonly violations: number[] = [0];
  /** Each change of whether there was room. */
  readonly room: boolean[] = [];
  /** Each new round-trip time of a ping, in milliseconds. */
  readonly roundTrips: number[] = [];
  /** The last status of each message, by its id. */
  readonly statuses: Record<string, string> = {};
  #client: NativeSocketClient | undefined;

  get client(): NativeSocketClient {
    if (!this.#client) throw new Error("start() comes first");
    return this.#client;
  }

  start(options: Options, kept?: DurableOutboxOptions): void {
    const outbox = kept && durableOutbox(kept);
    const client = new NativeSocketClient(outbox ? { ...options, outbox } : options);
    this.#client = client;
    for (const type of ["notification", "message_received", "echo"]) {
      client.on(type, (data) => this.heard.push({ type, data }));
    }
    client.on("gap", (gap) => this.gaps.push(gap));
    client.on("close", ({ code, reason }) => {
      this.closes.push(`${code} ${reason}`);
      this.violations.push(0);
    });
    client.on("error", (error) => {
      const code = (error as EverwireError).code ?? "";
      this.errors.push(code);
      if (code === "protocol_error") this.violations.push((this.violations.pop() ?? 0) + 1);
    });
    client.on("drop", ({ reason }) => this.drops.push(reason));
    client.subscribe(() => {
      const { hasRoom, lastRttMs } = client.getSnapshot();
      if (hasRoom !== this.room.at(-1)) this.room.push(hasRoom);
      if (lastRttMs !== null && lastRttMs !== this.roundTrips.at(-1)) this.roundTrips.push(lastRttMs);
    });
    client.connect();
  }

  join(session: string, options?: SendOptions): void {
    this.client.send("join_session", { session_id: session }, options);
  }

  /** Sends one message for each id, and says how many were accepted. */
  say(session: string, ids: readonly string[], options?: SendOptions, content = ""): number {
    return ids.filter((id) => this.#say(session, id, options, content)).length;
  }

  /** Sends a message that was cut in the middle of an emoji. */
  sayHalf(session: string, id: string): number {
    return this.say(session, [id], undefined, "cut in the middle: 😀".slice(0, -1));
  }

  /** Sends a message that is nested too deep, and gives the code of the refusal. */
  sayDeep(session: string, levels: number): string {
    let content: object = {};
    for (let level = 0; level < levels; level++) content = { content };
    const result = this.client.send("message_sent", { session_id: session, message: { id: "deep", content } });
    return result.status === "refused" ? result.code : result.status;
  }

  /** The same at the pace that the connection takes. */
  async upload(session: string, ids: readonly string[], content: string): Promise<void> {
    for (const id of ids) {
      await this.client.whenRoom();
      this.#say(session, id, undefined, content);
    }
  }

  /** Sends, and says how long it took until all were acknowledged, in milliseconds. */
  async timed(session: string, ids: readonly string[]): Promise<number> {
    const started = performance.now();
    const all = ids.map((id) => {
      const result = this.client.send("message_sent", { session_id: session, message: { id, content: "" } });
      if (result.status === "refused") throw result.error;
      return result.done();
    });
    await Promise.all(all);
    return performance.now() - started;
  }

  /** The reply to a request, or the code of its failure. */
  async ask(type: string, data: object, timeoutMs?: number): Promise<unknown> {
    try {
      return await this.client.request(type, data, { timeoutMs });
    } catch (error) {
      return (error as EverwireError).code;
    }
  }

  /** The same of a client that is started just now, before it can have done anything. */
  startAndAsk(options: Options, type: string, data: object): Promise<unknown> {
    this.start(options);
    return this.ask(type, data);
  }

  /** Fetches what is missing whenever there is a gap, from where the test's page comes from. `beginning` is where the stream began. */
  refetch(type: string, beginning: number): void {
    this.client.on("gap", async ({ from, to }) => {
      const response = await fetch(`/history?from=${from - beginning}&to=${Number(to) - beginning}`);
      for (const data of (await response.json()) as unknown[]) this.heard.push({ type, data });
    });
  }

  /** How many messages are on disk, whoever has put them there. */
  async stored(): Promise<number> {
    const asked = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    if (!(await indexedDB.databases()).some(({ name }) => name === "everwire")) return 0;
    const database = await asked(indexedDB.open("everwire"));
    try {
      const keys = await asked(database.transaction("messages").objectStore("messages").getAllKeys());
      return keys.filter((key) => Array.isArray(key) && key.length > 1).length;
    } finally {
      database.close();
    }
  }

  logout(): Promise<void> {
    return this.client.logout();
  }

  disconnect(): void {
    this.client.disconnect();
  }

  snapshot(): Snapshot {
    return this.client.getSnapshot();
  }

  #say(session: string, id: string, options: SendOptions | undefined, content: string): boolean {
    const result = this.client.send("message_sent", { session_id: session, message: { id, content } }, options);
    this.statuses[id] = result.status;
    if (result.status === "refused") return false;
    result.subscribe(() => {
      this.statuses[id] = result.status;
    });
    return true;
  }
}

declare global {
  interface Window {
    lab: Lab;
  }
}

window.lab = new Lab();
