import { type AnySocket, CLIENTS, type ClientOptions } from "./clients";

/** Something that a client has told, with the milliseconds since the lab was made. */
export interface Told {
  readonly at: number;
  readonly what: string;
  readonly why: string;
  readonly data: unknown;
}

/** How an event that asked for an acknowledgement ended. */
export type Outcome = "waits" | "acknowledged" | "failed" | "acknowledged again";

/** What became of numbered events. */
type Outcomes = Record<number, Outcome>;

/** What the scenarios do with a client and look at afterwards, in Node or in a page. Everything is sent over as JSON. */
export class Lab {
  /** The numbers of the server's events, in the order in which the client gave them to their handler. */
  readonly heard: number[] = [];
  readonly told: Told[] = [];
  readonly outcomes: Outcomes = {};
  /** Bytes that came otherwise than they had gone, and how many events with bytes came back. */
  readonly binary = { echoed: 0, acknowledged: 0, damaged: 0 };
  /** The numbers of the server's questions. */
  readonly asked: number[] = [];
  readonly #started = performance.now();
  #socket: AnySocket | undefined;
  #attempts = 0;

  start(client: string, url: string, user: string, options: ClientOptions & { readonly token?: string } = {}): void {
    const { token, ...rest } = options;
    const connect = CLIENTS[client];
    if (!connect) throw new Error(`no client is ${client}`);
    const socket = connect(url, {
      forceNew: true,
      transports: ["websocket"],
      auth: (answer: (auth: object) => void) => answer({ user, attempt: ++this.#attempts, ...(token && { token }) }),
      ...rest,
    });
    this.#socket = socket;
    socket.on("connect", () => this.#tell("connect", "", { recovered: socket.recovered, id: socket.id }));
    socket.on("disconnect", (reason: string) => this.#tell("disconnect", reason));
    socket.on("connect_error", (error: Error & { data?: unknown }) =>
      this.#tell("connect_error", error.message, { active: socket.active, data: error.data }),
    );
    // Everwire's client tells these; the other one has no words for them.
    socket.io.on("gap", () => this.#tell("gap", ""));
    socket.io.on("drop", ({ reason }: { readonly reason: string }) => this.#tell("drop", reason));
    for (const event of ["reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed"]) {
      socket.io.on(event, () => this.#tell(event, ""));
    }
    socket.on("number", (n: number) => this.heard.push(n));
    socket.on("question", (n: number, answer: (n: number) => void) => {
      this.asked.push(n);
      answer(n);
    });
    socket.on("binary", (n: number, whole: Bytes, parts: { readonly inside: readonly Bytes[] }) => {
      this.binary.echoed++;
      this.#compare(n, whole, parts);
    });
  }

  /** Sends the numbers from `first` to `last`. */
  say(first: number, last: number, event = "note"): void {
    for (let n = first; n <= last; n++) this.#open.emit(event, n);
  }

  sayVolatile(first: number, last: number): void {
    for (let n = first; n <= last; n++) this.#open.volatile.emit("note", n);
  }

  /** The same with an acknowledgement each, and with a time for it unless `timeoutMs` is 0. */
  ask(first: number, last: number, timeoutMs: number, event = "note", ...more: unknown[]): void {
    for (let n = first; n <= last; n++) {
      this.outcomes[n] = "waits";
      const sender = timeoutMs === 0 ? this.#open : this.#open.timeout(timeoutMs);
      const ended = (failed: boolean) => {
        this.outcomes[n] = failed ? "failed" : this.outcomes[n] === "waits" ? "acknowledged" : "acknowledged again";
      };
      if (timeoutMs === 0) sender.emit(event, n, ...more, () => ended(false));
      else sender.emit(event, n, ...more, (error: unknown) => ended(error !== null && error !== undefined));
    }
  }

  /** With `retries` among the options every event is acknowledged. */
  sayRetried(first: number, last: number): void {
    for (let n = first; n <= last; n++) {
      this.outcomes[n] = "waits";
      this.#open.emit("note", n, (error: unknown) => {
        this.outcomes[n] = error ? "failed" : this.outcomes[n] === "waits" ? "acknowledged" : "acknowledged again";
      });
    }
  }

  /** Sends the numbers from `first` to `last`, one every so many milliseconds. */
  async sayPaced(first: number, last: number, everyMs: number, how: "say" | "sayRetried" = "say"): Promise<void> {
    for (let n = first; n <= last; n++) {
      this[how](n, n);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** Sends events with three attachments of so many bytes. */
  sayBinary(first: number, last: number, bytes: number): void {
    for (let n = first; n <= last; n++) {
      const [whole, ...inside] = attachments(n, bytes);
      this.#open.timeout(10_000).emit("binary", n, whole, { inside }, (error: unknown, ...answer: unknown[]) => {
        if (error) return;
        this.binary.acknowledged++;
        const [m, echoed, parts] = answer as [number, Bytes, { inside: Bytes[] }];
        this.#compare(m, echoed, parts);
        if (m !== n) this.binary.damaged++;
      });
    }
  }

  /** On every connection, before anything else the application does: joins. */
  joinOnConnect(): void {
    const join = () => this.#open.emit("join", 0);
    // In a page it may be connected by the time that this is called.
    if (this.#open.connected) join();
    this.#open.on("connect", join);
  }

  connect(): void {
    this.#open.connect();
  }

  disconnect(): void {
    this.#socket?.disconnect();
  }

  authenticate(auth: unknown): void {
    this.#open.auth = auth;
  }

  /** Keeps the thread busy. */
  block(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  state() {
    const { connected, active, recovered, id } = this.#open;
    return { connected, active, recovered: recovered === true, id: id ?? null };
  }

  look() {
    const { heard, told, outcomes, binary, asked } = this;
    return { heard, told, outcomes, binary, asked };
  }

  get #open(): AnySocket {
    if (!this.#socket) throw new Error("start() comes first");
    return this.#socket;
  }

  #tell(what: string, why: string, data: unknown = null): void {
    this.told.push({ at: performance.now() - this.#started, what, why, data });
  }

  #compare(n: number, whole: Bytes, { inside }: { readonly inside: readonly Bytes[] }): void {
    const came = [whole, ...inside].map(bytesOf);
    const went = attachments(n, came[0]?.length ?? 0);
    const isSame = came.length === went.length && went.every((bytes, at) => equal(bytes, came[at]));
    if (!isSame) this.binary.damaged++;
  }
}

type Bytes = Uint8Array | ArrayBuffer;

const bytesOf = (bytes: Bytes): Uint8Array => (bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));

function equal(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other?.length === one.length && one.every((byte, at) => byte === other[at]);
}

function attachments(n: number, length: number): Uint8Array[] {
  return [0, 1, 2].map((part) => Uint8Array.from({ length }, (_, at) => (n * 7 + part * 31 + at) & 0xff));
}
