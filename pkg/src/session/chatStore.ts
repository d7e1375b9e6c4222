import type {
  Chat,
  ChatClient,
  ChatErrorMaker,
  ChatKind,
  ChatSendResult,
  ChatSnapshot,
  EverwireError,
  Gap,
  InheritedMessages,
} from "everwire";
import { type Alarm, alarm } from "./alarm.js";
import { attempt } from "./attempt.js";
import type { ChatOptions, ChatPage } from "./chat.js";
import { DIALECTS, READ } from "./chatEvents.js";
import { type ChatMachine, chatMachine } from "./chatMachine.js";
import type { ChatOutput } from "./chatOutput.js";
import { COLABMATCH_TYPING, MASTERX_TYPING } from "./typing.js";

/** One conversation with its clock, its client and its users. */
export interface ChatStore {
  readonly chat: Chat;
  /** Whether somebody uses it, or something of the user would be lost with it. */
  isNeeded(): boolean;
  hear(event: string, data: unknown): void;
  /** Shows what earlier pages have left here, if somebody looks. */
  inherit(): void;
  /** What became of such a message. */
  moved(id: string, status: string, error?: EverwireError): void;
  /** Forgets everything, and begins anew for those who use it. */
  clear(): void;
}

/** Drives a {@link ChatMachine}. `keep` is told whether it is used, and has to hear what happens. */
export function chatStore(
  kind: ChatKind,
  id: string,
  client: ChatClient,
  error: ChatErrorMaker,
  options: ChatOptions,
  userId: () => string | undefined,
  keep: (isUsed: boolean) => unknown,
  inherited: InheritedMessages | undefined,
): ChatStore {
  const { join, leave: leaving } = DIALECTS[kind];
  const { durable, loadEarlier, loadMissed, maxMessages = 1_000, pageSize: limit = 50 } = options;
  const { typingRule = kind === "match" ? COLABMATCH_TYPING : MASTERX_TYPING } = options;
  const config = { maxMessages, canLoadEarlier: !!loadEarlier, canLoadMissed: !!loadMissed, typingRule, error };
  const listeners = new Set<() => void>();
  let machine = chatMachine(kind, id, config);
  let snapshot: ChatSnapshot = machine.snapshot();
  let uses = 0;
  /** `undefined` before the first use, and `false` after the last. */
  let isEntered: boolean | undefined;
  /** The latest join, leave and receipt that found no room in the queue, while room is waited for; `undefined` once it is not wanted any more. */
  const owed = new Map<string, ChatOutput | undefined>();
  /** Whether the user logs out: what is asked for then is the next one's, and not for this one's disk. */
  let isClearing = false;
  let latestJoin: ChatSendResult | undefined;
  let latest = 0;
  let setBackMs = 0;
  let nextTimeout: Alarm;
  /** The fetches that are under way, by their tokens. */
  const fetches = new Map<number, Promise<void>>();

  /** Goes on where the clock is set back, so that nothing waits for what it has shown before. */
  const now = (): number => {
    const shown = Date.now();
    setBackMs += Math.max(latest - shown, 0);
    latest = shown;
    return shown + setBackMs;
  };

  /** One call of the machine, and all that it leads to. */
  const act = (run: (machine: ChatMachine, now: number) => void, current = machine): void => {
    if (current !== machine) return;
    attempt(() => run(machine, now()));
    for (let output = machine.outputs.shift(); output; output = machine.outputs.shift()) perform(output);
    // Whoever comes back begins anew.
    if (isEntered === false && !machine.isPending()) machine = chatMachine(kind, id, config);
    clearTimeout(nextTimeout);
    nextTimeout = alarm(() => act((machine, now) => machine.timeout(now)), machine.pollTimeout() - now());
    const next = machine.snapshot();
    if (next === snapshot) return;
    snapshot = next;
    for (const listener of [...listeners]) if (listeners.has(listener)) attempt(listener);
  };

  const waive = (type: string): void => {
    if (owed.has(type)) owed.set(type, undefined);
  };

  /** Sends what found no room, if it is still wanted. */
  const pay = (type: string): void => {
    const output = owed.get(type);
    owed.delete(type);
    if (output && (type === READ || !!isEntered === (type === join))) perform(output);
  };

  const perform = (output: ChatOutput): void => {
    const current = machine;
    if (output.do !== "send") {
      const { token, where } = output;
      const load = ("before" in where ? loadEarlier : loadMissed) as (request: object) => Promise<ChatPage>;
      const fetch = Promise.resolve({ id, kind, limit, ...where })
        .then(load)
        .then((page) => {
          if (!Array.isArray(page?.messages) || page.hasMore !== !!page.hasMore)
            throw new TypeError("a page must be { messages: [], hasMore }");
          act((machine, now) => machine.loaded(now, token, page.messages, page.hasMore), current);
        })
        .catch((cause) => {
          act((machine, now) => machine.failed(now, token, String(cause?.message ?? cause)), current);
          throw cause;
        });
      fetches.set(token, fetch);
      // A machine that was made meanwhile gives the same tokens.
      fetch.catch(() => {}).then(() => fetches.get(token) === fetch && fetches.delete(token));
      return;
    }
    const { type, data, id: message } = output;
    // The outbox has sent it.
    if (inherited?.has(message)) return;
    // A newer receipt says more than one that waits for room.
    waive(type);
    const result = client.send(type, data, {
      durable: !!durable && !isClearing && (message !== undefined || type === join),
    });
    const isReliable = (): boolean => client.getSnapshot().delivery === "reliable";
    const move = (error?: EverwireError): void => {
      if (message !== undefined) act(() => machine.moved(message, result.status, isReliable(), error), current);
      else if (type === join || type === leaving || type === READ) {
        const { status } = result;
        const hasNoRoom = /^(queue_full|overflow)$/.test(error?.code ?? "");
        if (hasNoRoom) {
          if (!owed.has(type)) client.whenRoom().then(() => pay(type));
          owed.set(type, output);
        }
        if (error && !hasNoRoom && type === join && status === "refused")
          hear("error", { code: error.code, message: error.message, ...(error.cause as object), about: join });
        else if (result === latestJoin) {
          const isTaken = !error && status !== "queued" && (status !== "sent" || !isReliable());
          act((machine, now) => machine.joined(now, isTaken), current);
        }
      }
    };
    if (type === join) latestJoin = result;
    if ("error" in result) {
      move(result.error);
      return;
    }
    result.subscribe(() => move());
    result.done().catch(move);
    move();
  };

  const identify = (): void => {
    const user = userId();
    if (user !== undefined) machine.identified(user);
  };

  const open = (now: number): void => {
    machine.opened(now, client.getSnapshot().delivery === "reliable");
    identify();
  };

  const use = (): (() => void) => {
    keep(true);
    uses++;
    if (!isEntered) {
      isEntered = true;
      act((machine, now) => {
        machine.entered();
        if (client.getSnapshot().phase === "open") open(now);
        else identify();
      });
      inherit();
    }
    let isUsing = true;
    return () => {
      if (!isUsing) return;
      isUsing = false;
      // After a macrotask, so that a component that is mounted again does not leave in between.
      if (--uses === 0) setTimeout(leave);
    };
  };

  const inherit = (): void =>
    act((machine, now) => {
      for (const { id: message, content, fields, at } of inherited?.of(kind, id) ?? [])
        machine.write(at ?? now, message, content, fields);
    });

  const leave = (): void => {
    if (uses || !isEntered) return;
    isEntered = false;
    keep(false);
    act((machine) => machine.left());
  };

  const hear = (event: string, data: unknown): void => {
    if (!isEntered) return;
    act((machine, now) => {
      if (event === "open") open(now);
      else if (event === "close") machine.closed();
      else if (event === "gap") {
        if ((data as Gap).to !== null) return machine.gap(now);
        // Another message may have its id now.
        waive(READ);
        machine.reset(now);
      } else if (event === "connected") identify();
      // What a connection answers that is being closed says nothing of what the next one brings.
      else if (ANSWERS.test(event) && client.getSnapshot().phase !== "open") return;
      else if (!(data instanceof Error)) machine.event(now, event, data);
    });
  };

  const keyPressed = (): void => act((machine, now) => machine.keyPressed(now));
  const stopped = (): void => act((machine) => machine.stopped());

  const chat: Chat = {
    id,
    kind,
    getSnapshot: () => snapshot,
    subscribe: (listener) => {
      const own = (): void => listener();
      listeners.add(own);
      const release = use();
      return () => {
        listeners.delete(own);
        release();
      };
    },
    join: use,
    send: (content, fields) => {
      // What reading them throws is for who has made them.
      const data = { ...fields };
      const message = crypto.getRandomValues(new BigUint64Array(2)).join("-");
      act((machine, now) => machine.write(now, message, content, data));
      return message;
    },
    retry: (message) => act((machine, now) => machine.retry(now, message)),
    discard: (message) => act((machine) => machine.discard(message)),
    keyPressed,
    stopped,
    setTyping: (isTyping) => (isTyping ? keyPressed : stopped)(),
    markAsRead: (message) => act((machine) => machine.markAsRead(message)),
    loadEarlier: async () => {
      let token = 0;
      act((machine) => {
        token = machine.loadEarlier();
      });
      await fetches.get(token);
    },
  };
  return {
    chat,
    isNeeded: () => uses > 0 || machine.isPending(),
    hear,
    inherit,
    moved: (message, status, error) => act((machine) => machine.moved(message, status, true, error)),
    clear: () => {
      machine = chatMachine(kind, id, config);
      for (const type of owed.keys()) waive(type);
      isClearing = true;
      // Who the next user is is asked when they connect: until then the application may still name the last one.
      act((machine) => {
        if (isEntered) machine.entered();
      });
      isClearing = false;
    },
  };
}

const ANSWERS = /^(pong|session_members)$/;
