import { expect, it, vi } from "vitest";
import { openClient, useStandIns } from "./harness/clients";
import { greet, reliableClient, sentOn } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

/** One attempt that a server leaves without an answer, up to the closing handshake, and the wait for the next. */
function fallsSilent(delayMs: number): void {
  const socket = StandInSocket.newest;
  socket.opens();
  vi.advanceTimersByTime(10_000);
  expect([socket.readyState, socket.closedWith]).toEqual([2, 1000]);
  socket.ends(1000);
  vi.advanceTimersByTime(delayMs);
}

it("a server that has never answered a ping is named in the close reason, and one that has is not", () => {
  const { client, socket } = openClient({ reconnect: { jitter: 0 } });
  vi.advanceTimersByTime(40_000);
  expect(client.getSnapshot().close).toMatchObject({
    code: 1006,
    cause: "never_answered",
    reason: expect.stringContaining("heartbeat.intervalMs Infinity"),
  });
  expect(socket.closedWith).toBe(1000);
  vi.advanceTimersByTime(1_000);
  StandInSocket.newest.opens();
  vi.advanceTimersByTime(30_000);
  StandInSocket.newest.says("pong", {});
  vi.advanceTimersByTime(40_000);
  expect(client.getSnapshot().close).toMatchObject({ code: 1006, cause: "pong_timeout" });
});

it("a server that says neither welcome nor pong is named, and after two attempts spoken to at most once", () => {
  const client = reliableClient();
  client.send("note", {});
  client.connect();
  fallsSilent(1_000);
  expect(client.getSnapshot().close).toMatchObject({
    code: 1006,
    cause: "no_welcome",
    reason: expect.stringContaining("no welcome and no pong"),
  });
  fallsSilent(2_000);
  StandInSocket.newest.opens();
  vi.advanceTimersByTime(2_000);
  expect(client.getSnapshot()).toMatchObject({ phase: "open", delivery: "at-most-once", queued: 0 });
  expect(sentOn(StandInSocket.newest)).toEqual([["note", undefined]]);
});

it("a welcome after all makes the rest of the connection reliable", () => {
  const client = reliableClient();
  client.connect();
  fallsSilent(1_000);
  fallsSilent(2_000);
  const socket = StandInSocket.newest;
  socket.opens();
  vi.advanceTimersByTime(2_000);
  client.send("note", {});
  greet(socket);
  client.send("note", {});
  expect(sentOn(socket)).toEqual([
    ["note", undefined],
    ["note", 2, 0],
  ]);
  expect(client.getSnapshot()).toMatchObject({ phase: "open", delivery: "reliable", protocolErrors: 0 });
});

it("a network that swallows everything is not taken for a plain server", () => {
  const client = reliableClient({ reconnect: { jitter: 0, maxAttempts: Infinity } });
  client.send("note", {});
  client.connect();
  for (let attempt = 0; attempt < 5; attempt++) {
    StandInSocket.newest.opens();
    vi.advanceTimersByTime(13_000);
    const { retryAt, ...seen } = client.getSnapshot();
    expect(seen).toMatchObject({ phase: "waiting", close: { cause: "no_welcome" }, queued: 1 });
    vi.advanceTimersByTime(Number(retryAt) - Date.now());
  }
});
