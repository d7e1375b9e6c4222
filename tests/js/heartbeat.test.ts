import type { HeartbeatOptions } from "everwire";
import { expect, it, vi } from "vitest";
import { openClient, recorder, useStandIns } from "./harness/clients";

useStandIns();

const open = (heartbeat: HeartbeatOptions) =>
  openClient({ heartbeat: { intervalMs: 1_000, timeoutMs: 500, ...heartbeat }, reconnect: { jitter: 0 } });

it("pings and their answers may have other names, and a pong of the usual name is then any event", () => {
  const { client, socket } = open({ ping: "are_you_there", pong: "here" });
  const { handler, heard } = recorder();
  client.on("here", handler);
  vi.advanceTimersByTime(1_000);
  expect(socket.frames).toEqual([{ type: "are_you_there", data: {}, timestamp: Date.now() }]);
  vi.advanceTimersByTime(40);
  socket.says("here", { n: 1 });
  expect(heard).toEqual([{ n: 1 }]);
  expect(client.getSnapshot().lastRttMs).toBe(40);
  vi.advanceTimersByTime(1_000);
  socket.says("pong", {});
  vi.advanceTimersByTime(500);
  expect(client.getSnapshot()).toMatchObject({ phase: "waiting", close: { cause: "pong_timeout" } });
});

it("a server that sends back what it gets is alive when both names are the same", () => {
  const { client, socket } = open({ ping: "beat", pong: "beat" });
  for (let beat = 0; beat < 5; beat++) {
    vi.advanceTimersByTime(1_000);
    socket.saysText(socket.texts.at(-1));
  }
  expect(socket.types).toEqual(["beat", "beat", "beat", "beat", "beat"]);
  expect(client.isConnected()).toBe(true);
});

it("with an endless interval nothing is asked, and silence is no reason to close", () => {
  const { client, socket } = openClient({ heartbeat: { intervalMs: Infinity } });
  vi.advanceTimersByTime(3_600_000);
  expect(socket.texts).toEqual([]);
  expect(client.isConnected()).toBe(true);
});
