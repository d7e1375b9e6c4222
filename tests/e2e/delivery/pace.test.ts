import { env } from "node:process";
import { expect, test } from "vitest";
import { isReference } from "../harness/environment";
import { ids, report, say } from "./harness/tally";
import { useWorld } from "./harness/world";

/** The server's default. */
const PER_MINUTE = 100;

const world = useWorld(["--rate-limit-per-minute", String(PER_MINUTE)]);

test("what has waited for an outage to end goes out as fast as the rate limit allows, and none is refused", async () => {
  const { server, proxy, user, options, open, processed, refused } = world();
  const tab = await open();
  await tab.start({ ...options, heartbeat: {} });
  await tab.isOpen();
  await tab.call("join", "s1");
  await expect.poll(async () => (await server.processed(user)).length).toBe(1);
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await expect.poll(() => tab.read("closes").then((closes) => closes.length)).toBeGreaterThan(0);
  const sent = ids(PER_MINUTE + OVER);
  expect(await tab.call("say", "s1", sent)).toBe(sent.length);
  await proxy.heal();
  await tab.isOpen();
  const closes = (await tab.read("closes")).length;
  const started = performance.now();
  await expect.poll(() => processed(), { timeout: FLUSH_MS }).toHaveLength(sent.length);
  await tab.allAre("acknowledged");
  const seconds = Math.round((performance.now() - started) / 1_000);
  const pings = (await server.received(user, "ping")).length;
  report(
    `${sent.length} messages after an outage at ${PER_MINUTE} a minute, in ${seconds} s with ${pings} pings`,
    sent,
    await processed(),
  );
  say(`refused ${(await refused()).length}, reconnected ${(await tab.read("closes")).length - closes} times`);
  expect(await refused()).toEqual([]);
  expect(await tab.read("closes")).toHaveLength(closes);
  expect(await tab.read("errors")).toEqual([]);
  expect(await tab.read("drops")).toEqual([]);
}, 240_000);

/** How many messages are over what may be sent at once; each of them takes 600 ms. */
const OVER = isReference() && env["EVERWIRE_BRIEF"] !== "true" ? 200 : 50;

const FLUSH_MS = 180_000;
