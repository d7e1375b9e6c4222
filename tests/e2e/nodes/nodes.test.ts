import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { say } from "../delivery/harness/tally";
import type { Person } from "./harness/person";
import { World } from "./harness/world";

const OUTAGE_MS = 3000;
const PRESENCE_LIMIT_MS = 8000;

describe("two nodes", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });

  afterEach(() => world?.everybodyLeaves());

  afterAll(() => world?.stop());

  it("bring every message of one to the other", async () => {
    const pairs = await world.people("calm");
    await world.whileTalking("nothing happens", pairs, async () => {});
  });

  it("lose nothing when one is killed, and clients go to the other", async () => {
    const pairs = await world.people("node");
    await world.whileTalking("kill -9 of a node", pairs, () => world.nodes.a.kill());
    await world.nodes.a.restart();
  });

  it("say that somebody is gone whose node was killed, and that they are back", async () => {
    const [eve, adam] = await world.onBoth("presence");
    await expect.poll(() => adam.online.get(eve.user)).toBe(true);
    const killed = Date.now();
    await world.nodes.a.kill();
    await expect.poll(() => adam.online.get(eve.user)).toBe(false);
    const gone = Date.now() - killed;
    await world.nodes.a.restart();
    const restarted = Date.now();
    eve.client.reconnect();
    await expect.poll(() => adam.online.get(eve.user)).toBe(true);
    const back = Date.now() - restarted;
    say(`presence: gone ${gone} ms after kill -9 of the node, online ${back} ms after it was there again`);
    expect(gone).toBeLessThan(PRESENCE_LIMIT_MS);
    expect(back).toBeLessThan(PRESENCE_LIMIT_MS);
  });

  it("go on without Redis, and tell typing and presence again when it is back", async () => {
    const [eve, adam] = await world.onBoth("redis");
    const pairs = await world.people("redis");
    await world.whileTalking("kill -9 of Redis", pairs, async () => {
      await world.services.kill("redis");
      await pause(OUTAGE_MS);
      await world.services.restart("redis");
    });
    await untilMomentsArrive(eve, adam);
  });

  it("acknowledge nothing without PostgreSQL, and lose nothing", async () => {
    const pairs = await world.people("postgres");
    await world.whileTalking("kill -9 of PostgreSQL", pairs, async () => {
      await world.services.kill("postgres");
      // What had been stored before may still be on its way.
      await pause(OUTAGE_MS / 6);
      const acknowledged = pairs.flat().map((person) => person.acknowledged);
      await expect.poll(() => world.health()).toEqual([503, 503]);
      await pause(OUTAGE_MS);
      expect(pairs.flat().map((person) => person.acknowledged)).toEqual(acknowledged);
      await world.services.restart("postgres");
      await expect.poll(() => world.health()).toEqual([200, 200]);
    });
  });

  it("go on while one cannot reach Redis, and tell typing and presence again when it can", async () => {
    const [eve, adam] = await world.onBoth("partition");
    const pairs = await world.people("partition");
    await world.whileTalking("a partition between a node and Redis", pairs, async () => {
      // What was sent is kept, as TCP keeps it, and nothing new gets through.
      await world.redisOfA.rule({ fault: "half_open" });
      await world.redisOfA.rule({ fault: "refuse" });
      await pause(2 * OUTAGE_MS);
      await world.redisOfA.heal();
    });
    await untilMomentsArrive(eve, adam);
  });

  it("are restarted one after the other without a lost message", async () => {
    const pairs = await world.people("rolling");
    await world.whileTalking("rolling restart", pairs, async () => {
      for (const node of [world.nodes.a, world.nodes.b]) {
        await node.drain();
        for (const person of pairs.flat()) await person.untilOpen();
        await node.restart();
      }
    });
  });

  /** Until what is true for a moment only passes from one node to the other. */
  async function untilMomentsArrive(eve: Person, adam: Person): Promise<void> {
    const began = Date.now();
    adam.typing.length = 0;
    // Typing is at most once: what a node says before it has found Redis again is lost.
    const isSeenTyping = () => {
      eve.type();
      return adam.typing.includes(eve.user);
    };
    await expect.poll(isSeenTyping, { interval: 200 }).toBe(true);
    const typing = Date.now() - began;
    expect(typing).toBeLessThan(PRESENCE_LIMIT_MS);
    await expect.poll(() => adam.online.get(eve.user)).toBe(true);
    const [there, left] = [Date.now() - began, Date.now()];
    eve.client.disconnect();
    await expect.poll(() => adam.online.get(eve.user)).toBe(false);
    say(
      `  typing passes ${typing} ms later, presence is right ${there} ms later, and ${Date.now() - left} ms after somebody left`,
    );
    expect(there).toBeLessThan(PRESENCE_LIMIT_MS);
    expect(Date.now() - left).toBeLessThan(PRESENCE_LIMIT_MS);
  }
});
