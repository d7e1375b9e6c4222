import { expect, test } from "vitest";
import { ids, report, say } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

test("a large upload over a slow link does not keep pings from being answered in time", async () => {
  const { server, proxy, user, options, open, processed } = world();
  const tab = await open();
  await tab.start({ ...options, heartbeat: { intervalMs: 250, timeoutMs: 2_000 } });
  await tab.isOpen();
  await tab.call("join", "s1");
  await proxy.rule({ fault: "bandwidth", bytes_per_s: 2_000_000, direction: "up" });
  const sent = ids(2_000);
  await tab.call("upload", "s1", sent, "x".repeat(5_000));
  await tab.allAre("acknowledged");
  const pings = (await server.received(user, "ping")).length;
  const room = await tab.read("room");
  report(`10 MB through 2 MB/s, ${pings} pings, room came and went ${room.length} times`, sent, await processed());
  const slowest = Math.max(...(await tab.read("roundTrips")));
  say(`slowest round trip of a ping during the upload: ${slowest} ms`);
  expect(slowest).toBeLessThan(2_000);
  expect(await tab.read("closes")).toEqual([]);
  expect(await tab.read("drops")).toEqual([]);
  expect(pings).toBeGreaterThan(5);
  expect(room.length).toBeGreaterThan(4);
});
