import { expect } from "vitest";
import { type Scenario, scenarios } from "./harness/arena";
import { since, tally, upTo } from "./harness/figures";

/** A page that is busy for a while gets a flood. */
const slowConsumer: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const started = performance.now();
  await server.push(user, 1, 5_000, 200);
  await lab.call("block", 1_000);
  await server.push(user, 5_001, 10_000, 200);
  const heard = async () => (await lab.call("look")).heard;
  await expect.poll(async () => (await heard()).length).toBe(10_000);
  const figures = tally(upTo(10_000), await heard());
  expect(figures).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0 });
  expect(await arena.told("disconnect")).toEqual([]);
  return { ...figures, reported: 0, seconds: since(started) };
};

/** Events come faster than the link carries them; pings stand in line behind them. */
const slowLink: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  await proxy.rule({ fault: "bandwidth", bytes_per_s: 500_000, direction: "down" });
  const started = performance.now();
  await server.push(user, 1, 1_000, 1_000);
  const heard = async () => (await lab.call("look")).heard;
  // A pause of a busy machine is no loss, so what is missing is waited for, unless the connection has ended.
  const ends = async () => (await arena.told("disconnect")).length;
  await expect.poll(async () => (await heard()).length === 1_000 || (await ends()) > 0).toBe(true);
  const figures = tally(upTo(1_000), await heard());
  const disconnects = await ends();
  expect({ ...figures, disconnects }).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, disconnects: 0 });
  return { ...figures, reported: 0, seconds: since(started), remark: `${disconnects} disconnects` };
};

/** Events with three attachments each, there and back, acknowledged with the same attachments. */
const binary: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const started = performance.now();
  await lab.call("sayBinary", 1, 100, 1_000);
  const counts = async () => (await lab.call("look")).binary;
  await expect.poll(counts).toEqual({ echoed: 100, acknowledged: 100, damaged: 0 });
  const received = await server.received(user, "binary");
  expect(received).toEqual(upTo(100));
  return { ...tally(upTo(100), received), reported: 0, seconds: since(started) };
};

const PLACES = [
  { server: "socket.io", place: "Node" },
  { server: "python-socketio", place: "Node" },
  { server: "socket.io", place: "Chromium" },
] as const;

// A server ends a connection whose pong comes late, and a pong waits here for all that stands in line before its ping.
scenarios(
  PLACES,
  { pingIntervalMs: 1_000, pingTimeoutMs: 20_000 },
  {
    "busy page": slowConsumer,
    "slow link": slowLink,
    binary,
  },
);
