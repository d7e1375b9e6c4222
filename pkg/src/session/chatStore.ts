import type { Chat, ChatClient, ChatErrorMaker, ChatKind, ChatSnapshot, EverwireError } from "everwire";
import type { ChatOptions, ChatPage } from "./chat.js";
import { DIALECTS } from "./chatEvents.js";
import { type ChatMachine, type ChatOutput, chatMachine } from "./chatMachine.js";
import { COLABMATCH_TYPING, MASTERX_TYPING } from "./typing.js";

/** One conversation with its clock, its client and its users: drives a {@link ChatMachine}. */
export class ChatStore {
  readonly chat: Chat;
  readonly #kind: ChatKind;
  readonly #id: string;
  readonly #client: ChatClient;
  readonly #error: ChatErrorMaker;
  readonly #options: ChatOptions;
  readonly #userId: () => string | undefined;
  readonly #keep: (isKept: boolean) => void;
  #machine: ChatMachine;
  #snapshot: ChatSnapshot;
  readonly #listeners = new Set<() => void>();
  #uses = 0;
  #isEntered = false;
  /** What ends to watch a message, by its id. */
  #watched = new Map<string, () => void>();
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #alarmAt = Infinity;
  #earlier: { readonly token: number; readonly result: PromiseWithResolvers } | undefined;

  constructor(
    kind: ChatKind,
    id: string,
    client: ChatClient,
    error: ChatErrorMaker,
    options: ChatOptions,
    userId: () => string | undefined,
    keep: (isKept: boolean) => void,
  ) {
    this.#kind = kind;
    this.#id = id;
    this.#client = client;
    this.#error = error;
    this.#options = options;
    this.#userId = userId;
    this.#keep = keep;
    this.#machine = this.#start();
    this.#snapshot = this.#machine.snapshot();
    const act = (run: (machine: ChatMachine, now: number) => void): void => this.#act(run);
    const keyPressed = (): void => act((machine, now) => machine.keyPressed(now));
    const stopped = (): void => act((machine) => machine.stopped());
    this.chat = {
      id,
      kind,
      getSnapshot: () => this.#snapshot,
      subscribe: (listener) => {
        const own = (): void => listener();
        this.#listeners.add(own);
        const release = this.#use();
        return () => {
          this.#listeners.delete(own);
          release();
        };
      },
      join: () => this.#use(),
      send: (content, fields = {}) => {
        const message = crypto.getRandomValues(new BigUint64Array(2)).join("-");
        act((machine, now) => machine.write(now, message, content, fields));
        return message;
      },
      retry: (message) => act((machine, now) => machine.retry(now, message)),
      discard: (message) => act((machine) => machine.discard(message)),
      keyPressed,
      stopped,
      setTyping: (isTyping) => (isTyping ? keyPressed : stopped)(),
      markAsRead: (message) => act((machine) => machine.markAsRead(message)),
      loadEarlier: () => this.#loadEarlier(),
    };
  }

  get isUsed(): boolean {
    return this.#uses > 0;
  }

  hear(event: string, data: unknown): void {
    if (!this.#isEntered) return;
    this.#act((machine, now) => {
      if (event === "open") this.#opened(machine, now);
      else if (event === "connected") this.#identify(machine);
      else if (event === "close") machine.closed();
      else if (event === "gap") machine.gap(now);
      else if (!(data instanceof Error)) machine.event(now, event, data);
    });
  }

  /** Forgets everything, and begins anew for those who use it. */
  clear(): void {
    for (const end of this.#watched.values()) end();
    this.#watched.clear();
    this.#machine = this.#start();
    this.#act((machine) => {
      this.#identify(machine);
      if (this.#isEntered) machine.entered();
    });
  }

  #start(): ChatMachine {
    const { maxMessages = 1_000, loadEarlier, loadMissed, typingRule } = this.#options;
    return chatMachine(this.#kind, this.#id, {
      maxMessages,
      canLoadEarlier: !!loadEarlier,
      canLoadMissed: !!loadMissed,
      typingRule: typingRule ?? (this.#kind === "match" ? COLABMATCH_TYPING : MASTERX_TYPING),
      error: this.#error,
    });
  }

  #use(): () => void {
    this.#keep(true);
    if (this.#uses++ === 0 && !this.#isEntered) {
      this.#isEntered = true;
      this.#act((machine, now) => {
        this.#identify(machine);
        machine.entered();
        if (this.#client.getSnapshot().phase === "open") this.#opened(machine, now);
      });
    }
    let isUsing = true;
    return () => {
      if (!isUsing) return;
      isUsing = false;
      if (--this.#uses === 0) setTimeout(() => this.#leave());
    };
  }

  /** After a macrotask, so that a component that is mounted again does not leave in between. */
  #leave(): void {
    if (this.#uses > 0 || !this.#isEntered) return;
    this.#act((machine) => machine.left());
    this.#isEntered = false;
    this.#keep(this.#machine.isPending());
  }

  #opened(machine: ChatMachine, now: number): void {
    this.#identify(machine);
    machine.opened(now, this.#isReliable());
  }

  #identify(machine: ChatMachine): void {
    const userId = this.#userId();
    if (userId !== undefined) machine.identified(userId);
  }

  #isReliable(): boolean {
    return this.#client.getSnapshot().delivery === "reliable";
  }

  /** One call of the machine, and all that it leads to. */
  #act(run: (machine: ChatMachine, now: number) => void): void {
    const machine = this.#machine;
    run(machine, Date.now());
    for (let output = machine.outputs.shift(); output; output = machine.outputs.shift()) this.#do(output);
    if (machine !== this.#machine) return;
    this.#arm();
    const snapshot = machine.snapshot();
    if (snapshot === this.#snapshot) return;
    this.#snapshot = snapshot;
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) attempt(listener);
    }
  }

  #do(output: ChatOutput): void {
    if (output.do === "send") this.#send(output.type, output.data, output.id);
    else if (output.do === "load_earlier") this.#load("loadEarlier", { before: output.before }, output.token);
    else this.#load("loadMissed", { after: output.after }, output.token);
  }

  #send(type: string, data: object, id: string | undefined): void {
    const { join, send } = DIALECTS[this.#kind];
    const isDurable = !!this.#options.durable && (type === join || type === send);
    const result = this.#client.send(type, data, isDurable ? { durable: true } : {});
    if (type === join && "done" in result) {
      result.done().catch(({ cause }: EverwireError) => {
        if (cause) this.hear("error", { ...cause, about: join });
      });
    }
    if (id === undefined) return;
    const machine = this.#machine;
    const move = (error?: EverwireError): void => {
      if (machine === this.#machine) this.#act(() => machine.moved(id, result.status, this.#isReliable(), error));
    };
    if ("error" in result) {
      machine.moved(id, "not_sent", false, result.error);
      return;
    }
    this.#watched.get(id)?.();
    const end = result.subscribe(() => move());
    this.#watch(id, end);
    result.done().catch((error: EverwireError) => move(error));
    machine.moved(id, result.status, this.#isReliable());
  }

  #watch(id: string, end: () => void): void {
    this.#watched.set(id, end);
    for (const [oldest, stop] of this.#watched) {
      if (this.#watched.size <= MOST_WATCHED) return;
      stop();
      this.#watched.delete(oldest);
    }
  }

  #loadEarlier(): Promise<void> {
    let token = 0;
    this.#act((machine) => {
      token = machine.loadEarlier();
      if (token && token !== this.#earlier?.token) this.#earlier = { token, result: withResolvers() };
    });
    return token && this.#earlier ? this.#earlier.result.promise : Promise.resolve();
  }

  #load(name: "loadEarlier" | "loadMissed", where: object, token: number): void {
    const machine = this.#machine;
    const request = { id: this.#id, kind: this.#kind, limit: this.#options.pageSize ?? 50, ...where };
    const load = this.#options[name] as ((request: object) => Promise<ChatPage>) | undefined;
    const result = this.#earlier?.token === token ? this.#earlier.result : undefined;
    const isCurrent = (): boolean => machine === this.#machine;
    Promise.resolve(request)
      .then(load)
      .then((page) => {
        if (!Array.isArray(page?.messages)) throw new TypeError(`\`${name}\` must resolve to { messages, hasMore }`);
        if (isCurrent()) this.#act((_, now) => machine.loaded(now, token, page.messages, page.hasMore === true));
        result?.resolve();
      })
      .catch((cause: unknown) => {
        if (isCurrent()) this.#act((_, now) => machine.failed(now, token, String((cause as Error)?.message ?? cause)));
        result?.reject(cause);
      });
  }

  #arm(): void {
    const at = this.#machine.pollTimeout();
    if (at === this.#alarmAt) return;
    this.#alarmAt = at;
    clearTimeout(this.#alarm);
    if (at === Infinity) return;
    this.#alarm = setTimeout(
      () => {
        this.#alarmAt = Infinity;
        this.#act((machine, now) => machine.timeout(now));
      },
      Math.max(at - Date.now(), 0),
    );
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = (): void => {};
  let reject = (_: unknown): void => {};
  const promise = new Promise<void>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/** How many messages are watched for news of them. */
const MOST_WATCHED = 1_000;

function attempt(listener: () => void): void {
  try {
    listener();
  } catch (cause) {
    (globalThis.reportError ?? console.error)(cause);
  }
}
