import { readdirSync, readFileSync } from "node:fs";
import { env } from "node:process";
import { isDeepStrictEqual } from "node:util";
import type { ChatKind } from "everwire";
import { COLABMATCH_TYPING, MASTERX_TYPING } from "everwire/session";
import { expect, it } from "vitest";
import { type ChatMachine, chatMachine } from "../../pkg/src/session/chatMachine";
import type { ChatOutput } from "../../pkg/src/session/chatOutput";
import { rootPath } from "./harness/paths";

// What means UTC must not be read in the zone of this machine.
env["TZ"] = "Asia/Kathmandu";

interface Vector {
  readonly about: string;
  readonly kind: ChatKind;
  readonly id: string;
  readonly config?: { readonly maxMessages?: number; readonly loadEarlier?: boolean; readonly loadMissed?: boolean };
  readonly steps: readonly Step[];
}

interface Step {
  /** The time from here on. */
  readonly at?: number;
  readonly out?: readonly object[];
  readonly then?: Record<string, unknown>;
  readonly [input: string]: unknown;
}

/** Plays the steps of a vector at a machine, whose fetches are numbered from 1. */
class Player {
  readonly #machine: ChatMachine;
  readonly #tokens: number[] = [];
  #now = 0;

  constructor({ kind, id, config: { maxMessages = 1_000, loadEarlier = false, loadMissed = false } = {} }: Vector) {
    this.#machine = chatMachine(kind, id, {
      maxMessages,
      canLoadEarlier: loadEarlier,
      canLoadMissed: loadMissed,
      typingRule: kind === "match" ? COLABMATCH_TYPING : MASTERX_TYPING,
      error: failure,
    });
  }

  play(step: Step): void {
    this.#now = step.at ?? this.#now;
    const { at: _, out = [], then = {}, ...input } = step;
    const [[name, argument] = []] = Object.entries(input);
    const before = this.#machine.snapshot().messages;
    if (name !== undefined) this.#do(name, argument as never);
    expect(this.#machine.outputs.splice(0).map((output) => this.#shown(output))).toEqual(out);
    const { messages, due, ...rest } = then as { messages?: readonly object[]; due?: number | null };
    const snapshot = this.#machine.snapshot();
    expect(this.#machine.snapshot()).toBe(snapshot);
    for (const message of snapshot.messages) {
      const same = before.find((old) => isDeepStrictEqual(old, message));
      if (same) expect(message).toBe(same);
    }
    if (messages) {
      const shown = snapshot.messages.map((message) => ({ ...message, error: message.error?.code ?? null }));
      expect(shown).toEqual(messages.map((message) => expect.objectContaining(message)));
    }
    if (due !== undefined) expect(this.#machine.pollTimeout()).toBe(due ?? Number.POSITIVE_INFINITY);
    expect(snapshot).toMatchObject(rest);
  }

  #do(name: string, argument: never): void {
    const machine = this.#machine;
    const now = this.#now;
    const acts: Record<string, () => unknown> = {
      entered: () => machine.entered(),
      left: () => machine.left(),
      opened: () => machine.opened(now, (argument as { reliable: boolean }).reliable),
      closed: () => machine.closed(),
      gap: () => machine.gap(now),
      reset: () => machine.reset(now),
      identified: () => machine.identified(argument),
      event: () => {
        const { type, data } = argument as { type: string; data: unknown };
        machine.event(now, type, data);
      },
      write: () => {
        const { id, content, fields = {} } = argument as { id: string; content: string; fields?: object };
        machine.write(now, id, content, fields as Record<string, unknown>);
      },
      retry: () => machine.retry(now, argument),
      discard: () => machine.discard(argument),
      joined: () => machine.joined(now, (argument as { taken: boolean }).taken),
      moved: () => {
        const { id, status, reliable, error, cause } = argument as Record<string, string>;
        const failed = error === undefined ? undefined : failure(error as "refused", "", cause);
        machine.moved(id as string, status as string, !!reliable, failed);
      },
      keyPressed: () => machine.keyPressed(now),
      stopped: () => machine.stopped(),
      markAsRead: () => machine.markAsRead(argument ?? undefined),
      loadEarlier: () => machine.loadEarlier(),
      loaded: () => {
        const { messages, hasMore, of } = argument as { messages: unknown[]; hasMore: boolean; of?: number };
        machine.loaded(now, this.#token(of), messages, hasMore);
      },
      failed: () => machine.failed(now, this.#token(), argument),
      timeout: () => machine.timeout(now),
    };
    const act = acts[name];
    if (!act) throw new Error(`no such input: ${name}`);
    act();
  }

  #token(number = this.#tokens.length): number {
    return this.#tokens[number - 1] as number;
  }

  #shown(output: ChatOutput): object {
    if (output.do === "send") {
      const { type, data, id } = output;
      return { send: type, data, ...(id !== undefined && { id }) };
    }
    this.#tokens.push(output.token);
    const { where } = output;
    return "before" in where ? { loadEarlier: where.before } : { loadMissed: where.after };
  }
}

const failure = (code: "refused" | "unconfirmed", message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code, name: "EverwireError" }) as never;

const vectors = readdirSync(rootPath("docs/vectors/session"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(rootPath(`docs/vectors/session/${file}`), "utf8")) as Vector);

it("there are conversations to play", () => {
  expect(vectors.length).toBeGreaterThanOrEqual(25);
});

it.each(vectors.map((vector) => [vector.about, vector] as const))("%s", (_about, vector) => {
  const player = new Player(vector);
  vector.steps.forEach((step, number) => {
    try {
      player.play(step);
    } catch (cause) {
      throw new Error(`step ${number}: ${JSON.stringify(step)}\n${(cause as Error).message}`, { cause });
    }
  });
});
