import { expect, test } from "vitest";
import { Server } from "../harness/server";
import { ids, report, say } from "./harness/tally";
import { chatIds, useWorld } from "./harness/world";

const world = useWorld();

test("events that the server has forgotten are named, and the application fetches them", async () => {
  const { server, proxy, user, options, open } = world();
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  const events = ids(100, "n");
  const push = async (from: number, to: number) => {
    for (const n of events.slice(from - 1, to)) await server.push(user, "notification", { n });
  };
  await push(1, 30);
  await expect.poll(() => tab.heard("notification", "n")).toHaveLength(30);
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await expect.poll(() => tab.read("closes").then((closes) => closes.length)).toBeGreaterThan(0);
  await push(31, 100);
  const { upto } = await server.ask<{ upto: number }>("POST", "forget", { user_id: user, events: 60 });
  await tab.call("refetch", "fetched", upto - 60);
  await proxy.heal();
  await expect.poll(() => tab.heard("notification", "n")).toHaveLength(70);
  await expect.poll(() => tab.heard("fetched", "n")).toHaveLength(30);
  expect(await tab.read("gaps")).toEqual([{ stream: "user", from: upto - 29, to: upto }]);
  const [before, fetched, after] = [
    (await tab.heard("notification", "n")).slice(0, 30),
    await tab.heard("fetched", "n"),
    (await tab.heard("notification", "n")).slice(30),
  ];
  report("history forgotten from 31 to 60, which the page fetches", events, [...before, ...fetched, ...after], "had");
});

test("a page that was away for long gets all stored events, page by page", async () => {
  const { server, proxy, user, options, open } = world();
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await expect.poll(() => tab.read("closes").then((closes) => closes.length)).toBeGreaterThan(0);
  const events = ids(900, "n");
  for (const n of events) await server.push(user, "notification", { n });
  await proxy.heal();
  await expect.poll(() => tab.heard("notification", "n")).toHaveLength(900);
  report("900 events while the page was away", events, await tab.heard("notification", "n"), "delivered");
  expect(await tab.read("gaps")).toEqual([]);
});

test("a server that has lost its memory gets what is unacknowledged, and the application learns that events are missing", async () => {
  const { server, proxy, user, options, open } = world();
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  await tab.call("join", "s1");
  await tab.call("say", "s1", ids(10, "before"));
  await tab.allAre("acknowledged");
  await server.push(user, "notification", { n: "n1" });
  await expect.poll(() => tab.heard("notification", "n")).toEqual(["n1"]);
  const other = await Server.start([]);
  try {
    await proxy.rule({ fault: "swallow" });
    await tab.call("say", "s1", ids(10, "after"));
    await proxy.aim(other.origin);
    await proxy.heal();
    await proxy.rule({ fault: "reset" });
    await tab.allAre("acknowledged");
    const gaps = await tab.read("gaps");
    expect(gaps).toContainEqual({ stream: "user", from: expect.any(Number), to: null });
    await other.push(user, "notification", { n: "n2" });
    await expect.poll(() => tab.heard("notification", "n")).toEqual(["n1", "n2"]);
    const taken = (await other.processed(user)).filter(({ refused }) => refused === undefined);
    report("server that has lost its memory", ids(10, "after"), chatIds(taken));
    say(`gaps without an end: ${gaps.filter(({ to }) => to === null).length}`);
    expect((await tab.call("snapshot")).protocolErrors).toBe(0);
  } finally {
    await proxy.aim(server.origin);
    await other.kill();
  }
});
