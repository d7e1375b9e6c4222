import { afterEach, expect, test } from "vitest";
import { StandInServer } from "./harness/standInServer";
import { ids, report } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

let standIn: StandInServer | undefined;

afterEach(async () => {
  standIn?.stop();
  await world().proxy.aim(world().server.origin);
});

test("no message that the server cannot take stops those behind it", async () => {
  const { proxy, options, open, processed, refused } = world();
  await proxy.rule({ fault: "refuse", for_ms: 60_000 });
  const tab = await open();
  await tab.start({ ...options, maxMessageBytes: 30_000 });
  await tab.call("join", "s1");
  const sent = ids(40);
  await tab.call("say", "s1", sent.slice(0, 10));
  await tab.call("sayHalf", "s1", "half");
  await tab.call("say", "s1", sent.slice(10, 20));
  await tab.call("say", "s1", ["large"], undefined, "x".repeat(20_000));
  await tab.call("say", "s1", sent.slice(20, 30));
  await tab.call("say", "not joined", ["refused"]);
  await tab.call("say", "s1", sent.slice(30));
  expect(await tab.call("sayDeep", "s1", 100)).toBe("unserialisable");
  await proxy.heal();
  await expect.poll(async () => (await tab.read("statuses"))[sent[39] ?? ""]).toBe("acknowledged");
  const statuses = await tab.read("statuses");
  expect([statuses["half"], statuses["large"], statuses["refused"]]).toEqual(["acknowledged", "failed", "refused"]);
  expect(await tab.read("drops")).toEqual(["too_large"]);
  expect(await refused()).toEqual(["refused"]);
  const taken = await processed();
  expect(taken).toContain("half");
  report(
    "40 messages around three that the server cannot take and half an emoji",
    sent,
    taken.filter((id) => id !== "half"),
  );
});

test("a message over which the server ends every connection is given up, and all others arrive, over a reload too", async () => {
  const { proxy, options, open, user } = world();
  const processed: string[] = [];
  const last = new Map<string, number>();
  const clients = new Map<number, string>();
  const closed = new Set<number>();
  standIn = await StandInServer.start(({ type, data, seq }, peer) => {
    const client = clients.get(peer.number) ?? "";
    if (type === "hello") {
      const id = String(data["client_id"]);
      clients.set(peer.number, id);
      peer.says("welcome", { version: 1, epoch: 5, last: last.get(id) ?? 0, streams: {} });
    }
    if (type === "ping") peer.says("pong");
    if (closed.has(peer.number) || seq === undefined || seq <= (last.get(client) ?? 0)) return;
    const { id } = data["message"] as { id: string };
    if (id.startsWith("poison")) {
      closed.add(peer.number);
      return peer.closes(1007);
    }
    processed.push(id);
    last.set(client, seq);
    peer.says("ack", { seq });
  });
  await proxy.aim(standIn.origin);
  const outbox = { name: user };
  const first = await open();
  await first.start(options, outbox);
  await first.isOpen();
  const sent = ids(30);
  await proxy.rule({ fault: "refuse", for_ms: 60_000 });
  await first.call("disconnect");
  await first.call("say", "s1", sent.slice(0, 10), { durable: true });
  await first.call("say", "s1", ["poison 1"], { durable: true });
  await first.call("say", "s1", sent.slice(10, 20), { durable: true });
  await expect.poll(() => first.call("stored")).toBe(21);
  await first.page.close();
  await proxy.heal();

  const second = await open();
  await second.start(options, outbox);
  await second.call("say", "s1", ["poison 2"]);
  await second.call("say", "s1", sent.slice(20));
  await expect.poll(() => processed, { timeout: 50_000 }).toHaveLength(30);
  report("30 messages around two that end every connection", sent, processed);
  expect(await second.read("drops")).toEqual(["poisoned", "poisoned"]);
  await expect.poll(() => second.call("stored")).toBe(0);
});
