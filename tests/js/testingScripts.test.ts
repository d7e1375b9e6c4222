import { NativeSocketClient } from "everwire";
import { type FaultStep, seedCrypto, seededRandom, TestServer } from "everwire/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Random } from "./harness/random";

const first = new Random(1).seed;
const COUNT = Number(process.env["EVERWIRE_SCRIPTS"] ?? 20);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Faults of every kind for a minute, each of which ends. */
function anyScript(random: () => number): FaultStep[] {
  const upTo = (end: number) => Math.floor(random() * end);
  const lasting = (at: number, begin: Omit<FaultStep, "at">, end: Omit<FaultStep, "at">): FaultStep[] => [
    { at, ...begin },
    { at: at + upTo(20_000), ...end },
  ];
  return Array.from({ length: 25 }, () => {
    const at = upTo(60_000);
    const faults: (() => FaultStep[])[] = [
      () => [{ at, drop: true }],
      () => lasting(at, { offline: true }, { online: true }),
      () => lasting(at, { silence: true }, { speak: true }),
      () => lasting(at, { delay: [0, upTo(2_000)] }, { delay: 0 }),
      () => [{ at, refuse: upTo(4) }],
      () => [{ at, loseAcks: upTo(4) }],
      () => [{ at, dropNextFrame: { from: "client", type: "say" } }],
      () => [{ at, dropNextFrame: { type: "said" } }],
      () => [{ at, close: [1000, 1001, 1011, 1013][upTo(4)] ?? 1000 }],
      () => [{ at, restart: { downMs: upTo(5_000) } }],
    ];
    return faults[upTo(faults.length)]?.() ?? [];
  }).flat();
}

it.each(Array.from({ length: COUNT }, (_, n) => first + n))(
  "nothing is lost, doubled or out of order, whatever the script: seed %i",
  async (seed) => {
    const [random, crypto] = [seededRandom(seed), seedCrypto(seed)];
    using server = new TestServer({ seed });
    const users = ["ada", "ada", "ben"];
    const clients = users.map((token) => {
      const reconnect = { maxAttempts: Number.POSITIVE_INFINITY };
      return new NativeSocketClient({
        url: "ws://test",
        token,
        WebSocket: server.WebSocket,
        delivery: "reliable",
        reconnect,
        sessions: { join: "join", key: "room" },
      });
    });
    crypto.restore();
    server.on("join", (_data, { join }) => join("all"));
    server.on("say", (data, { publish }) => publish("all", "said", data));
    const heard: number[][][] = clients.map(() => []);
    const gaps: unknown[] = [];
    for (const [i, client] of clients.entries()) {
      client.on("said", ({ by, n }: { by: number; n: number }) => heard[i]?.push([by, n]));
      client.on("gap", (gap) => gaps.push(gap));
      client.connect();
      client.send("join", { room: "all" });
    }
    await server.settled();
    server.faults.script(anyScript(random));
    const sent = Array.from({ length: 40 }, (_, n) => n);
    for (const n of sent) {
      for (const [by, client] of clients.entries()) client.send("say", { by, n });
      await vi.advanceTimersByTimeAsync(Math.floor(random() * 3_000));
    }
    await vi.advanceTimersByTimeAsync(300_000);
    for (const [i, of] of heard.entries()) {
      const ofOthers = [0, 1, 2]
        .filter((by) => by !== i)
        .map((by) => of.filter(([from]) => from === by).map(([, n]) => n));
      expect(ofOthers).toEqual([sent, sent]);
      expect(of.filter(([by]) => by === i)).toEqual([]);
    }
    const received = server.received("say");
    for (const by of clients.keys()) {
      expect(received.filter(({ data }) => data["by"] === by).map(({ data }) => data["n"])).toEqual(sent);
    }
    expect([gaps, clients.map((client) => client.getSnapshot().protocolErrors)]).toEqual([[], [0, 0, 0]]);
    await server.settled();
    for (const client of clients) client.dispose();
  },
);
