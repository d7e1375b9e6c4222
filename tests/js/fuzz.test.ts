import process from "node:process";
import type { EverwireError } from "everwire";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openClient, recorder, useStandIns } from "./harness/clients";
import { anyFrame, knownFrames } from "./harness/frames";
import { Random } from "./harness/random";
import { reliableClient, sentOn, welcome } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const rejections: unknown[] = [];
const noteRejection = (reason: unknown): unknown => rejections.push(reason);
beforeEach(() => process.on("unhandledRejection", noteRejection));
afterEach(() => {
  process.off("unhandledRejection", noteRejection);
  expect(rejections.splice(0)).toEqual([]);
});

const FRAMES = 20_000;

/** The names that only the client itself may use. */
const OWN = ["open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"];

const isEvent = (frame: unknown): boolean => {
  try {
    const { type, data = {} } = JSON.parse(frame as string);
    return (
      typeof type === "string" && !OWN.includes(type) && typeof data === "object" && !!data && !Array.isArray(data)
    );
  } catch {
    return false;
  }
};

it("every frame that is no event is an error, and nothing else happens", () => {
  const random = new Random(20_261);
  const known = knownFrames();
  const { client, socket } = openClient();
  const { handler, heard } = recorder<EverwireError>();
  client.on("error", handler as never);
  for (let number = 0; number < FRAMES; number++) {
    const frame = anyFrame(random, known);
    const before = heard.length;
    socket.saysText(frame);
    const bad = heard.slice(before).filter(({ code }) => code === "bad_frame");
    expect(bad, `seed ${random.seed}, frame ${number}: ${String(frame)}`).toHaveLength(isEvent(frame) ? 0 : 1);
  }
  expect(client.getSnapshot()).toMatchObject({ phase: "open", protocolErrors: 0 });
  const echo = recorder();
  client.on("after all", echo.handler);
  socket.says("after all", { fine: true });
  expect(echo.heard).toEqual([{ fine: true }]);
});

it("a client of the reliable mode survives every frame, and delivers to the next server that makes sense", async () => {
  const random = new Random(20_262);
  const known = knownFrames();
  const client = reliableClient({ reconnect: { jitter: 0, maxAttempts: Number.POSITIVE_INFINITY } });
  client.connect();
  let counted = 0;
  let sockets = 0;
  for (let number = 0; number < FRAMES; number++) {
    const socket = StandInSocket.newest;
    if (socket.readyState === 0) {
      sockets++;
      if (random.below(4)) welcome(socket, { epoch: client.getSnapshot().protocolErrors + 1 });
      else socket.opens();
    }
    const frame = anyFrame(random, known);
    expect(() => socket.saysText(frame), `seed ${random.seed}, frame ${number}: ${String(frame)}`).not.toThrow();
    if (random.below(20) === 0) client.send("note", { number });
    if (random.below(50) === 0) client.request("echo", { number }).catch(() => {});
    if (random.below(30) === 0) await vi.advanceTimersByTimeAsync(random.below(20_000));
    const { protocolErrors } = client.getSnapshot();
    expect(protocolErrors).toBeGreaterThanOrEqual(counted);
    counted = protocolErrors;
  }
  expect([counted, sockets].map((count) => count > 10)).toEqual([true, true]);

  client.reconnect();
  const socket = welcome(StandInSocket.newest, { epoch: Number.MAX_SAFE_INTEGER });
  expect(client.getSnapshot()).toMatchObject({ phase: "open", delivery: "reliable" });
  client.send("last", {});
  for (let seen = -1; seen !== sentOn(socket).length; ) {
    seen = sentOn(socket).length;
    socket.says("ack", { seq: sentOn(socket).at(-1)?.[1] });
  }
  expect(sentOn(socket).at(-1)?.[0]).toBe("last");
  expect(client.getSnapshot().queued).toBe(0);
});
