import { afterEach, expect, test } from "vitest";
import { type Frame, type Peer, StandInServer } from "./harness/standInServer";
import { ids, report, say } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

let standIn: StandInServer | undefined;

async function standInThat(answer: (frame: Frame, peer: Peer) => void): Promise<StandInServer> {
  standIn = await StandInServer.start(answer);
  return standIn;
}

afterEach(async () => {
  standIn?.stop();
  await world().proxy.aim(world().server.origin);
});

test("a server that does not know the reliable mode is spoken to at most once, and messages flow", async () => {
  const { options, open } = world();
  const plain = await standInThat((frame, peer) => {
    if (frame.type === "ping") peer.says("pong");
    if (frame.type === "message_sent") peer.says("echo", frame.data);
  });
  const tab = await open();
  await tab.start({ ...options, url: plain.origin });
  await tab.isOpen();
  expect((await tab.call("snapshot")).delivery).toBe("at-most-once");
  const sent = ids(100);
  await tab.call("say", "s1", sent);
  const arrived = () => plain.frames.filter(({ type }) => type === "message_sent");
  await expect.poll(arrived).toHaveLength(100);
  await expect.poll(async () => (await tab.read("heard")).length).toBe(100);
  expect(arrived().every(({ seq }) => seq === undefined)).toBe(true);
  expect(await tab.call("ask", "echo", {})).toBe("unsupported");
  report(
    "server without the reliable mode",
    sent,
    arrived().map(({ data }) => (data["message"] as { id: string }).id),
    "received",
  );
  await tab.allAre("sent");
  expect((await tab.call("snapshot")).protocolErrors).toBe(0);
});

test("a hostile server is not believed: its errors are counted and some reported, and an honest one gets every message", async () => {
  const { server, proxy, options, open, processed } = world();
  const hostile = await standInThat(misbehave);
  await proxy.aim(hostile.origin);
  const tab = await open();
  await tab.start(options);
  await tab.call("join", "s1");
  const sent = ids(50);
  await tab.call("say", "s1", sent);
  const reply = tab.call("ask", "echo", {});
  // Every flood ends its connection, so the next crime has another.
  await expect.poll(() => hostile.connections).toBeGreaterThan(CRIMES.length);
  expect(await reply).toEqual({ n: 1 });
  const statuses = new Set(Object.values(await tab.read("statuses")));
  expect(statuses).toEqual(new Set(["sent"]));
  const { protocolErrors } = await tab.call("snapshot");
  const violations = await tab.read("violations");
  expect(Math.max(...violations)).toBe(10);
  expect(await tab.heard("notification", "n")).toEqual(["n1"]);

  await proxy.aim(server.origin);
  await proxy.rule({ fault: "reset" });
  await tab.allAre("acknowledged");
  report(
    `hostile server, ${CRIMES.length} crimes, ${protocolErrors} protocol errors counted, at most ${Math.max(...violations)} reported on a connection; then an honest one`,
    sent,
    await processed(),
  );
  expect(protocolErrors).toBeGreaterThanOrEqual(CRIMES.filter(({ isFlood }) => isFlood).length * 100);
  say(`reported on the connections: ${violations.join(", ")}`);
});

interface Crime {
  readonly isFlood: boolean;
  readonly welcome?: { readonly epoch?: number; readonly last?: number };
  commit?(peer: Peer, index: number): void;
}

const CRIMES: readonly Crime[] = [
  { isFlood: true, commit: (peer, index) => peer.says("ack", { seq: 10_000 + index }) },
  { isFlood: false, welcome: { epoch: 4 } },
  { isFlood: false, welcome: { last: 9_999 } },
  { isFlood: true, commit: (peer, index) => peer.says("stream", { stream: "user", offset: -1 - index }) },
  {
    isFlood: true,
    commit: (peer) => peer.says("notification", { n: "n1" }, { stream: "feed", offset: 1 }),
  },
  { isFlood: true, commit: (peer) => peer.says("reply", { seq: REQUEST, result: { n: 1 } }) },
  { isFlood: true, commit: (peer, index) => peer.says("error", { seq: 10_000 + index, code: "not_joined" }) },
  { isFlood: true, commit: (peer) => peer.says("receipt", { seq: 1, status: "acknowledged" }) },
  { isFlood: true, commit: (peer, index) => peer.says("ack", { seq: [-1, 1.5, "2", null, {}][index % 5] }) },
  {
    isFlood: true,
    commit: (peer) => peer.says("welcome", { version: 1, epoch: 9, last: 0, streams: { user: 99 } }),
  },
  { isFlood: true, commit: (peer, index) => peer.says("session_update", {}, { stream: `s${index}`, offset: "1" }) },
];

/** The join is the first message, and the request comes after all others. */
const REQUEST = 52;

function misbehave({ type, seq }: Frame, peer: Peer): void {
  const { welcome, commit } = CRIMES[peer.number] ?? { isFlood: false };
  if (type === "hello") {
    peer.says("welcome", { version: 1, epoch: 5, last: 0, streams: { user: 7 }, ...welcome });
  }
  if (type === "ping") peer.says("pong");
  // Once everything is sent.
  if (seq === REQUEST) for (let index = 0; index < 1_000; index++) commit?.(peer, index);
}
