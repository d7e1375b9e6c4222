import { expect } from "vitest";
import { type Arena, type Scenario, scenarios } from "./harness/arena";
import { since, tally, upTo } from "./harness/figures";
import type { ClientOptions } from "./lab/clients";

const RETRIES: ClientOptions = { retries: 10, ackTimeout: 300, retryIds: true };

/** Five events go into a hole, and five more after it. */
const blackHole =
  (how: "say" | "ask" | "sayRetried"): Scenario =>
  async (arena) => {
    const { server, proxy, lab, user } = arena;
    await arena.start(how === "sayRetried" ? RETRIES : {});
    await arena.isConnected();
    const say = (first: number, last: number) =>
      how === "ask" ? lab.call("ask", first, last, 1_000) : lab.call(how, first, last);
    const started = performance.now();
    await proxy.rule({ fault: "swallow", for_ms: 300 });
    await say(1, 5);
    await expect.poll(() => proxy.bytes("swallow")).toBeGreaterThan(0);
    await expect.poll(() => proxy.isActive("swallow")).toBe(false);
    await say(6, 10);
    const received = () => server.received(user, "note");
    await arena.settled(async () => new Set(await received()).size, 10);
    const seconds = since(started);
    const figures = tally(upTo(10), await received());
    const reported = await failures(arena);
    if (how === "ask") expect(reported).toBe(figures.lost);
    if (how === "sayRetried") expect(figures.lost).toBe(0);
    return { ...figures, reported, seconds };
  };

/** A thousand events at a steady pace, while the connection is reset again and again. */
const drops =
  (how: "say" | "sayRetried"): Scenario =>
  async (arena) => {
    const { server, proxy, lab, user } = arena;
    await proxy.rule({ fault: "latency", ms: 10 });
    const quick = { reconnectionDelay: 20, reconnectionDelayMax: 40 };
    await arena.start({ ...quick, ...(how === "sayRetried" && RETRIES) });
    await arena.isConnected();
    const received = () => server.received(user, "note");
    const started = performance.now();
    for (let drop = 1; drop <= 50; drop++) {
      const before = (await received()).length;
      const said = lab.call("sayPaced", 20 * drop - 19, 20 * drop, 1, how);
      await expect.poll(async () => (await received()).length).toBeGreaterThan(before + 2);
      await proxy.rule({ fault: "reset" });
      await expect.poll(async () => (await arena.told("disconnect")).length).toBe(drop);
      await arena.isConnected();
      await said;
    }
    await arena.settled(async () => new Set(await received()).size, 1_000);
    const seconds = since(started);
    const connections = (await arena.told("connect")).length;
    const figures = tally(upTo(1_000), await received());
    if (how === "sayRetried") expect(figures.lost).toBe(0);
    if (arena.isOurs && how === "sayRetried") expect(figures).toMatchObject({ doubled: 0, outOfOrder: 0 });
    return {
      ...figures,
      reported: await failures(arena),
      seconds,
      remark: `${connections} connections`,
    };
  };

/** What is said while the server is dead waits for the next one. */
const restart: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const received = () => server.received(user, "note");
  await lab.call("say", 1, 10);
  await expect.poll(async () => (await received()).length).toBe(10);
  await server.kill();
  await arena.isConnected(false);
  await lab.call("say", 11, 110);
  await server.revive();
  const started = performance.now();
  await arena.isConnected();
  await lab.call("say", 111, 120);
  await arena.settled(async () => new Set(await received()).size, 120);
  const figures = tally(upTo(120), await received());
  expect(figures).toEqual({ sent: 120, received: 120, lost: 0, doubled: 0, outOfOrder: 0 });
  return { ...figures, reported: 0, seconds: since(started) };
};

/** The application joins whenever it is connected; what it has said meanwhile should come after that. */
const order: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await lab.call("joinOnConnect");
  await arena.isConnected();
  await expect.poll(() => server.received(user, "join")).toHaveLength(1);
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await arena.isConnected(false);
  await lab.call("say", 1, 20);
  const started = performance.now();
  await proxy.heal();
  await expect.poll(() => server.received(user, "join")).toHaveLength(2);
  await arena.settled(async () => (await server.received(user, "note")).length, 20);
  const log = await server.log(user);
  const early = log.slice(0, log.lastIndexOf("join 0")).filter((entry) => entry.startsWith("note")).length;
  const figures = tally(upTo(20), await server.received(user, "note"));
  expect(figures).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0 });
  return { ...figures, reported: 0, seconds: since(started), remark: `${early} before the join` };
};

/** Much more is said without a connection than anybody should keep. */
const offline: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await arena.isConnected(false);
  await lab.call("say", 1, 5_000);
  const started = performance.now();
  await proxy.heal();
  await arena.isConnected();
  const received = () => server.received(user, "note");
  await arena.settled(async () => new Set(await received()).size, 5_000);
  const figures = tally(upTo(5_000), await received());
  expect(figures).toMatchObject({ doubled: 0, outOfOrder: 0 });
  const reported = await failures(arena);
  if (arena.isOurs) expect({ ...figures, reported }).toMatchObject({ received: 1_000, lost: 4_000, reported: 4_000 });
  return { ...figures, reported, seconds: since(started) };
};

/** Volatile events are for now or never. */
const volatile: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  await lab.call("sayVolatile", 1, 1);
  await expect.poll(() => server.received(user, "note")).toHaveLength(1);
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await arena.isConnected(false);
  await lab.call("sayVolatile", 2, 10);
  const started = performance.now();
  await proxy.heal();
  await arena.isConnected();
  await lab.call("sayVolatile", 11, 11);
  await expect.poll(() => server.received(user, "note")).toContain(11);
  const received = await server.received(user, "note");
  const stale = received.filter((n) => n > 1 && n < 11).length;
  if (arena.isOurs) expect(stale).toBe(0);
  return {
    ...tally(upTo(11), received),
    reported: await failures(arena),
    seconds: since(started),
    remark: `${stale} of 9 that were too old`,
  };
};

/** How many losses the application was told of: events that failed, and events that were dropped. */
async function failures(arena: Arena): Promise<number> {
  const { outcomes, told } = await arena.lab.call("look");
  const failed = Object.values(outcomes).filter((outcome) => outcome === "failed").length;
  return failed + told.filter(({ what }) => what === "drop").length;
}

const QUICK = { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 };

scenarios([{ server: "socket.io", place: "Node" }], QUICK, { "50 drops, retries": drops("sayRetried") });

scenarios(
  [
    { server: "socket.io", place: "Node" },
    { server: "python-socketio", place: "Node" },
    { server: "socket.io", place: "Chromium" },
  ],
  QUICK,
  {
    "black hole of 300 ms": blackHole("say"),
    "black hole of 300 ms, acknowledgements": blackHole("ask"),
    "black hole of 300 ms, retries": blackHole("sayRetried"),
    "50 drops": drops("say"),
    "server restart": restart,
    "reconnect order": order,
    "5 000 events offline": offline,
    volatile,
  },
);
