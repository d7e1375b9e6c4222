import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import type { FaultProxy } from "../harness/faultProxy";
import { Random } from "./harness/random";
import { ids, report, say } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

test("messages that a black hole swallows before the connection drops are processed once", async () => {
  const { proxy, options, open, processed } = world();
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  expect((await tab.call("snapshot")).delivery).toBe("reliable");
  await tab.call("join", "s1");
  await expect.poll(processedJoin(world().server, world().user)).toBe(1);
  await proxy.rule({ fault: "swallow" });
  await proxy.rule({ fault: "reset", after_ms: 300 });
  const sent = ids(5);
  expect(await tab.call("say", "s1", sent)).toBe(5);
  await expect.poll(() => tab.read("closes")).toHaveLength(1);
  expect(await proxy.bytes("swallow")).toBeGreaterThan(0);
  expect(await processed()).toEqual([]);
  await proxy.heal();
  await tab.allAre("acknowledged");
  report("black hole 300 ms, then drop", sent, await processed());
});

test("messages and events are all there once and in order after fifty drops in random places", async () => {
  const { server, proxy, user, options, open, processed } = world();
  const random = new Random(20_260_104);
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  await tab.call("join", "s1");
  const sent = ids(1_000);
  const pushed = ids(500, "n");
  for (let drop = 0; drop < 50; drop++) {
    const closes = await tab.read("closes");
    const push = async () => {
      for (const n of pushed.slice(drop * 10, drop * 10 + 10)) await server.push(user, "notification", { n });
    };
    const talk = async () => {
      for (let batch = 0; batch < 4; batch++) {
        const first = drop * 20 + batch * 5;
        await tab.call("say", "s1", sent.slice(first, first + 5));
      }
    };
    await Promise.all([dropSomehow(proxy, random), talk(), push()]);
    await expect.poll(() => tab.read("closes"), { message: `seed ${random.seed}, drop ${drop}` }).not.toEqual(closes);
    await proxy.heal();
    await tab.isOpen();
  }
  await tab.allAre("acknowledged");
  await expect.poll(() => tab.heard("notification", "n")).toHaveLength(pushed.length);
  const closes = (await tab.read("closes")).length;
  report(`1 000 messages across ${closes} drops (seed ${random.seed})`, sent, await processed());
  report(`500 events across the same drops`, pushed, await tab.heard("notification", "n"), "delivered");
  expect((await tab.call("snapshot")).protocolErrors).toBe(0);
});

test("a hundred messages are acknowledged within three round trips of a slow link", async () => {
  const { proxy, options, open, processed } = world();
  const tab = await open();
  await tab.start({ ...options, heartbeat: {} });
  await tab.isOpen();
  await tab.call("join", "s1");
  await proxy.rule({ fault: "latency", ms: 50 });
  const runs: number[] = [];
  const sent: string[] = [];
  // What else the machine does can only add to it.
  for (const run of ["a", "b", "c", "d", "e", "f"]) {
    sent.push(...ids(100, run));
    runs.push(Math.round(await tab.call("timed", "s1", ids(100, run))));
    if (Math.min(...runs) <= 300) break;
  }
  report(`100 messages at 100 ms round trip (${runs.join(", ")} ms)`, sent, await processed());
  say(`100 messages at 100 ms round trip: all acknowledged after ${Math.min(...runs)} ms`);
  expect(Math.min(...runs)).toBeGreaterThanOrEqual(100);
  expect(Math.min(...runs)).toBeLessThanOrEqual(300);
});

test("a server that is killed in the middle of bursts processes every message once and in order", async () => {
  const { server, user, options, open, processed } = world();
  const random = new Random(9);
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  await tab.call("join", "s1");
  const sent = ids(500);
  const unacknowledged: number[] = [];
  for (let kill = 0; kill < 5; kill++) {
    await tab.call("say", "s1", sent.slice(kill * 100, kill * 100 + 100));
    await wait(random.between(0, 25));
    await server.kill();
    unacknowledged.push(Object.values(await tab.read("statuses")).filter((status) => status !== "acknowledged").length);
    await server.restart();
    await server.push(user, "notification", { n: `n${kill}` });
    await tab.isOpen();
  }
  await tab.allAre("acknowledged");
  await expect.poll(() => tab.heard("notification", "n")).toHaveLength(5);
  report(`server killed 5 times, with ${unacknowledged.join(", ")} messages unacknowledged`, sent, await processed());
  expect(await tab.heard("notification", "n")).toEqual(["n0", "n1", "n2", "n3", "n4"]);
  expect(Math.max(...unacknowledged)).toBeGreaterThan(0);
});

const processedJoin = (server: ReturnType<typeof world>["server"], user: string) => async () =>
  (await server.processed(user)).length;

/** Ends the connection in one of the ways that networks have, at a moment when messages and events are under way. */
async function dropSomehow(proxy: FaultProxy, random: Random): Promise<void> {
  const direction = random.one(["up", "down", "both"] as const);
  const after_ms = random.between(0, 40);
  const for_ms = random.between(5, 80);
  switch (random.one(["reset", "close", "swallow", "stall", "half_open"] as const)) {
    case "reset":
      return proxy.rule({ fault: "reset", after_ms });
    case "close":
      return proxy.rule({ fault: "close", after_ms });
    case "swallow":
      await proxy.rule({ fault: "swallow", direction, after_ms });
      break;
    case "stall":
      await proxy.rule({ fault: "stall", direction, after_bytes: random.between(0, 2_000), after_ms });
      break;
    case "half_open":
      await proxy.rule({ fault: "half_open", direction, after_ms });
  }
  await proxy.rule({ fault: "reset", after_ms: after_ms + for_ms });
}
