import { readdirSync, readFileSync } from "node:fs";
import type { NativeSocketClient, SendResult } from "everwire";
import { expect, it, vi } from "vitest";
import { makeClient, useStandIns } from "./harness/clients";
import { rootPath } from "./harness/paths";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

interface Vector {
  readonly about: string;
  readonly side?: "client" | "server";
  readonly steps: readonly Step[];
}

interface Step {
  readonly connect?: string;
  readonly client?: object;
  readonly server?: object;
  readonly lost?: boolean;
  readonly cut?: boolean;
  readonly restart?: boolean;
  readonly close?: number;
  readonly app?: AppStep;
}

interface AppStep {
  readonly send?: string;
  readonly data?: object;
  readonly request?: boolean;
  readonly delivered?: string;
  readonly gap?: object;
  readonly status?: Record<string, string>;
  readonly protocolErrors?: number;
}

/** The client id in the files; the client under test has drawn its own. */
const WRITTEN_ID = "k3Zq8vXw2LmN4pRt";

/** Plays the server's part of a conversation, and checks the client's. */
class Player {
  readonly #client: NativeSocketClient;
  /** What became of each message, by its number. */
  readonly #fates: (() => string)[] = [];
  readonly #heard: object[] = [];
  readonly #gaps: object[] = [];
  #ownId = WRITTEN_ID;
  /** How many frames of the newest socket have been looked at. */
  #seen = 0;

  constructor(steps: readonly Step[]) {
    this.#client = makeClient({ delivery: "reliable" });
    for (const type of new Set(steps.map(({ app }) => app?.delivered))) {
      if (type !== undefined) this.#client.on(type, (data) => this.#heard.push({ delivered: type, data }));
    }
    this.#client.on("gap", (gap) => this.#gaps.push(gap));
  }

  async play(step: Step): Promise<void> {
    const socket = StandInSocket.made.at(-1);
    if (step.connect) this.#connect();
    else if (step.client) this.#expectFrame(step.client);
    else if (step.server && !step.lost) socket?.saysText(this.#exchange(JSON.stringify(step.server), false));
    else if (step.cut || step.restart) socket?.ends();
    else if (step.close) socket?.ends(step.close);
    else if (step.app) await this.#application(step.app);
  }

  /** Nothing is left over that no step has spoken of. */
  end(): void {
    expect(StandInSocket.newest.frames.slice(this.#seen)).toEqual([]);
    expect([this.#heard, this.#gaps]).toEqual([[], []]);
  }

  #connect(): void {
    const before = StandInSocket.made.length;
    this.#client.connect();
    for (let wait = 0; StandInSocket.made.length === before && wait < 1_000; wait++) vi.advanceTimersByTime(100);
    expect(StandInSocket.made).toHaveLength(before + 1);
    StandInSocket.newest.opens();
    this.#seen = 0;
    const hello = StandInSocket.newest.frames[0];
    if (hello?.type === "hello") this.#ownId = String(hello.data["client_id"]);
  }

  #expectFrame(expected: object): void {
    const { timestamp, ...frame } = StandInSocket.newest.frames[this.#seen++] ?? { timestamp: 0 };
    expect(timestamp).toEqual(expect.any(Number));
    expect(JSON.parse(this.#exchange(JSON.stringify(frame), true))).toEqual(expected);
  }

  async #application({ send, data, request, delivered, gap, status, protocolErrors }: AppStep): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
    if (send && request) this.#request(send, data);
    else if (send) this.#send(this.#client.send(send, data));
    else if (delivered) expect(this.#heard.shift()).toEqual({ delivered, data });
    else if (gap) expect(this.#gaps.shift()).toEqual(JSON.parse(this.#exchange(JSON.stringify(gap), false)));
    else if (protocolErrors) expect(this.#client.getSnapshot().protocolErrors).toBe(protocolErrors);
    for (const [seq, expected] of Object.entries(status ?? {})) {
      expect(this.#fates[Number(seq) - 1]?.(), `message ${seq}`).toBe(expected);
    }
  }

  #send(result: SendResult): void {
    this.#fates.push(() => result.status);
  }

  #request(type: string, data?: object): void {
    let fate = "waiting";
    this.#fates.push(() => fate);
    this.#client.request(type, data).then(
      () => {
        fate = "answered";
      },
      (error) => {
        fate = error.code;
      },
    );
  }

  #exchange(text: string, isFromClient: boolean): string {
    return isFromClient ? text.replaceAll(this.#ownId, WRITTEN_ID) : text.replaceAll(WRITTEN_ID, this.#ownId);
  }
}

const vectors = readdirSync(rootPath("docs/vectors"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(rootPath(`docs/vectors/${file}`), "utf8")) as Vector)
  .filter(({ side }) => side !== "server");

it("there are conversations to play", () => {
  expect(vectors.length).toBeGreaterThan(10);
});

it.each(vectors.map((vector) => [vector.about, vector] as const))("%s", async (_about, { steps }) => {
  const player = new Player(steps);
  for (const step of steps) await player.play(step);
  player.end();
});
