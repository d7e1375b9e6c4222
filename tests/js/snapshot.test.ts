import { EverwireError } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("a new client is closed and idle", () => {
  const client = makeClient();
  expect(client.getSnapshot()).toEqual({
    state: "closed",
    phase: "idle",
    attempt: 0,
    retryAt: null,
    close: null,
    error: null,
    queued: 0,
    queuedBytes: 0,
    lastRttMs: null,
    delivery: "at-most-once",
    hasRoom: true,
    protocolErrors: 0,
  });
  expect([client.getState(), client.isConnected()]).toEqual(["closed", false]);
});

it.each(["3", "map", "length", ""])("a server's close reason %o is told as it came", (reason) => {
  const { client, socket } = openClient();
  const heard: unknown[] = [];
  client.on("close", (close) => heard.push(close));
  socket.ends(1011, reason);
  expect(heard).toEqual([{ code: 1011, reason, cause: null, wasClean: true }]);
  expect(client.getSnapshot().close).toEqual(heard[0]);
});

it("the states go from closed over connecting to open, and over closing back to closed", () => {
  const client = makeClient();
  const states = [client.getState()];
  client.subscribe(() => states.push(client.getState()));
  client.connect();
  StandInSocket.newest.opens();
  expect(client.isConnected()).toBe(true);
  client.disconnect();
  expect(client.isConnected()).toBe(false);
  StandInSocket.newest.ends(1000);
  expect(states.filter((state, i) => state !== states[i - 1])).toEqual([
    "closed",
    "connecting",
    "open",
    "closing",
    "closed",
  ]);
  expect(client.getSnapshot().close).toEqual({ code: 1000, reason: "", cause: null, wasClean: true });
});

it("the snapshot is the same object until something changes", () => {
  const { client, socket } = openClient();
  const open = client.getSnapshot();
  socket.says("greeting", {});
  client.send("note", {});
  client.on("greeting", () => {});
  expect(client.getSnapshot()).toBe(open);
  socket.ends();
  const lost = client.getSnapshot();
  expect(lost).not.toBe(open);
  expect(client.getSnapshot()).toBe(lost);
  client.send("note", {});
  expect(client.getSnapshot()).not.toBe(lost);
  expect(open).toMatchObject({ state: "open", queued: 0 });
});

it("getSnapshot() and subscribe() need no `this`, as React's useSyncExternalStore calls them", () => {
  const client = makeClient();
  const { getSnapshot, subscribe } = client;
  const phases: string[] = [];
  const end = subscribe(() => phases.push(getSnapshot().phase));
  client.connect();
  end();
  StandInSocket.newest.opens();
  expect(phases).toEqual(["connecting"]);
  expect(getSnapshot()).toBe(client.getSnapshot());
});

it("a listener finds the new snapshot, and `state` carries the same object", () => {
  const client = makeClient();
  const seen: unknown[] = [];
  const told = recorder();
  client.subscribe(() => seen.push(client.getSnapshot().phase));
  client.on("state", told.handler);
  client.connect();
  expect(seen).toEqual(["connecting"]);
  expect(told.heard).toEqual([client.getSnapshot()]);
  expect(told.heard[0]).toBe(client.getSnapshot());
});

it("waiting to try again says when, and which attempt it will be", () => {
  const { client, socket } = openClient({ reconnect: { jitter: 0 } });
  const { handler, heard } = recorder();
  client.on("reconnecting", handler);
  vi.setSystemTime(1_750_000_000_000);
  socket.ends(1011, "oops");
  expect(client.getSnapshot()).toMatchObject({
    state: "closed",
    phase: "waiting",
    attempt: 1,
    retryAt: 1_750_000_001_000,
    close: { code: 1011, reason: "oops", wasClean: true },
  });
  expect(heard).toEqual([{ attempt: 1, delayMs: 1_000 }]);
});

it("giving up is said once, and reconnect() starts afresh", () => {
  const client = makeClient({ reconnect: { maxAttempts: 2 } });
  const { handler, heard } = recorder();
  client.on("give_up", handler);
  client.connect();
  while (client.getSnapshot().phase !== "given_up") {
    StandInSocket.newest.ends();
    vi.advanceTimersByTime(10_000);
  }
  expect(heard).toEqual([{ attempts: 2 }]);
  expect(vi.getTimerCount()).toBe(0);
  client.reconnect();
  StandInSocket.newest.opens();
  expect(client.isConnected()).toBe(true);
});

it("the round trip of a ping is measured", () => {
  const { client, socket } = openClient();
  vi.advanceTimersByTime(30_000);
  expect(socket.types).toEqual(["ping"]);
  vi.advanceTimersByTime(40);
  socket.says("pong", {});
  expect(client.getSnapshot().lastRttMs).toBe(40);
});

describe("a token function", () => {
  it("that throws is an error event and the snapshot's error, of the same class and with the same cause", () => {
    const cause = new Error("no network");
    const client = makeClient({
      token: () => {
        throw cause;
      },
    });
    const { handler, heard } = recorder();
    client.on("error", handler);
    client.connect();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toBeInstanceOf(EverwireError);
    expect(heard[0]).toMatchObject({ code: "token_failed", cause });
    expect(client.getSnapshot().error).toBe(heard[0]);
    expect(client.getSnapshot().phase).toBe("waiting");
  });

  it("that gives no string is an error too, and the next attempt asks it anew", async () => {
    const answers = [() => 5, () => Promise.reject(new Error("later")), () => Promise.resolve("third")];
    const requests: unknown[] = [];
    const client = makeClient({
      token: ((request: unknown) => answers[requests.push(request) - 1]?.()) as unknown as () => string,
    });
    const { handler, heard } = recorder();
    client.on("error", handler);
    client.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard.map((error) => (error as EverwireError).code)).toEqual(["token_failed", "token_failed"]);
    expect(requests).toEqual([{ refused: false }, { refused: false }, { refused: false }]);
    expect(StandInSocket.newest.url).toBe("ws://server.test/api/ws?token=third");
    StandInSocket.newest.opens();
    expect(client.getSnapshot().error).toBeNull();
  });

  it("hears that the server refused the last token", async () => {
    const requests: unknown[] = [];
    const client = makeClient({ token: (request) => String(requests.push(request)) });
    client.connect();
    StandInSocket.newest.opens();
    StandInSocket.newest.ends(1008);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(requests).toEqual([{ refused: false }, { refused: true }]);
    StandInSocket.newest.opens();
    StandInSocket.newest.ends(1008);
    expect(client.getSnapshot()).toMatchObject({ phase: "fatal", close: { code: 1008 } });
  });
});

describe("a listener", () => {
  it("is not called after its subscription has ended, one for each", () => {
    const client = makeClient();
    const listener = vi.fn();
    const off = client.subscribe(listener);
    client.subscribe(listener);
    off();
    client.connect();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("that throws stops neither the others nor the client, and is reported to the page", () => {
    const reportError = vi.fn();
    vi.stubGlobal("reportError", reportError);
    const client = makeClient();
    const others = vi.fn();
    const cause = new Error("listener is unwell");
    client.subscribe(() => {
      throw cause;
    });
    client.subscribe(others);
    client.connect();
    StandInSocket.newest.opens();
    expect(client.isConnected()).toBe(true);
    expect(others).toHaveBeenCalledTimes(2);
    expect(reportError.mock.calls).toEqual([[cause], [cause]]);
  });
});

it("an idle client has no timer, an open one exactly one, and a disconnected one none", () => {
  const client = makeClient();
  expect(vi.getTimerCount()).toBe(0);
  client.connect();
  StandInSocket.newest.opens();
  expect(vi.getTimerCount()).toBe(1);
  client.disconnect();
  StandInSocket.newest.ends(1000);
  expect(vi.getTimerCount()).toBe(0);
});
