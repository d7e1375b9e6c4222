import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { type Arena, type Scenario, scenarios } from "./harness/arena";
import { since, tally, upTo } from "./harness/figures";

interface Refused {
  readonly active: boolean;
  readonly data: unknown;
}

/** A middleware refuses, and lets the client in once it has another token. */
const refused: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start({ token: "wrong" });
  const started = performance.now();
  const refusals = async () => await arena.told("connect_error");
  await arena.settled(async () => (await refusals()).length, Number.POSITIVE_INFINITY);
  const told = await refusals();
  const { active } = await lab.call("state");
  expect(active).toBe(false);
  expect(told.at(-1)).toMatchObject({ why: "Invalid authentication token", data: { data: { code: "unauthorized" } } });
  await lab.call("authenticate", { user });
  await lab.call("connect");
  await arena.isConnected();
  await lab.call("say", 1, 5);
  await expect.poll(() => server.received(user, "note")).toEqual(upTo(5));
  return {
    ...tally(upTo(5), await server.received(user, "note")),
    reported: told.length,
    seconds: since(started),
    remark: `${told.length} attempts`,
  };
};

/** What the client says of a server that is not there, of one that speaks something else, and of a namespace that does not exist. */
const failures: Scenario = async (arena) => {
  const started = performance.now();
  const page = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
  await new Promise<void>((listening) => page.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const remarks: string[] = [];
  const note = async (what: string) => {
    await expect.poll(async () => (await arena.told("connect_error")).length).toBeGreaterThan(remarks.length);
    for (const { why, data } of (await arena.told("connect_error")).slice(-1)) {
      remarks.push(`${what}: ${why}, ${(data as Refused).active ? "tries again" : "stays away"}`);
    }
    await arena.lab.call("disconnect");
  };
  try {
    await arena.start({ reconnectionDelay: 5_000 }, "/nowhere");
    await note("no such namespace");
    await arena.proxy.aim(origin);
    await arena.start({ reconnectionDelay: 5_000 });
    await note("HTML");
    await arena.proxy.rule({ fault: "refuse" });
    await arena.start({ reconnectionDelay: 5_000 });
    await note("refused by the network");
  } finally {
    page.close();
  }
  const told = (await arena.told("connect_error")).length;
  return { ...tally([], []), reported: told, seconds: since(started), remark: remarks.join("; ") };
};

/** Nothing comes any more, and nobody says so. */
const pingTimeout: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  await proxy.rule({ fault: "swallow" });
  const started = performance.now();
  await expect.poll(async () => (await arena.told("disconnect")).map(({ why }) => why)).toEqual(["ping timeout"]);
  const noticed = since(started);
  // The server pings every second and gives the answer another one.
  expect(noticed).toBeLessThan(4);
  await proxy.heal();
  await arena.isConnected();
  await lab.call("say", 1, 5);
  await expect.poll(() => server.received(user, "note")).toEqual(upTo(5));
  const figures = tally(upTo(5), await server.received(user, "note"));
  return { ...figures, reported: 1, seconds: since(started), remark: `noticed after ${noticed} s` };
};

/** The server puts the client out, which does not come back by itself; and cuts its connection, after which it does. */
const serverDisconnect: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const started = performance.now();
  const reasons = async () => (await arena.told("disconnect")).map(({ why }) => why);
  await server.ask("kick", user);
  await expect.poll(reasons).toEqual(["io server disconnect"]);
  const connects = async () => (await arena.told("connect")).length;
  await arena.settled(connects, 2);
  expect(await connects()).toBe(1);
  expect((await lab.call("state")).active).toBe(false);
  await lab.call("connect");
  await arena.isConnected();
  await server.ask("cut", user);
  await expect.poll(async () => (await reasons()).length).toBe(2);
  // python-socketio says goodbye and keeps the connection open; socket.io-client overhears it.
  const cut = (await reasons())[1];
  if (arena.isOurs || server.kind === "socket.io") expect(cut).toBe("transport close");
  await arena.isConnected();
  await lab.call("disconnect");
  await expect.poll(reasons).toEqual(["io server disconnect", cut, "io client disconnect"]);
  return {
    ...tally(upTo(3), upTo((await reasons()).length)),
    reported: 3,
    seconds: since(started),
    remark: `a connection that is cut: ${cut}`,
  };
};

/** Two namespaces on one connection, and a third that refuses. */
const namespaces: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  const options = { forceNew: false };
  const started = performance.now();
  await arena.start(options);
  await arena.isConnected();
  const [admin, closed] = [await arena.beside("/admin", options), await arena.beside("/closed", options)];
  await expect.poll(async () => (await admin.call("state")).connected).toBe(true);
  await expect.poll(async () => (await closed.call("look")).told.map(({ why }) => why)).toContain("closed");
  await server.push(user, 1, 10);
  await server.push(user, 11, 20, 0, "/admin");
  const heard = async (of: Arena["lab"]) => (await of.call("look")).heard;
  await expect.poll(() => heard(lab)).toEqual(upTo(10));
  await expect.poll(() => heard(admin)).toEqual(upTo(20).slice(10));
  await lab.call("say", 1, 5);
  await admin.call("say", 6, 10);
  await expect.poll(() => server.received(user, "note")).toHaveLength(10);
  await admin.call("disconnect");
  await server.push(user, 11, 11);
  await expect.poll(() => heard(lab)).toEqual(upTo(11));
  const connections = await proxy.accepted();
  return {
    ...tally(upTo(10), await server.received(user, "note")),
    reported: 1,
    seconds: since(started),
    remark: `${connections} connection${connections === 1 ? "" : "s"}`,
  };
};

scenarios(
  [
    { server: "socket.io", place: "Node" },
    { server: "python-socketio", place: "Node" },
    { server: "socket.io", place: "Chromium" },
  ],
  { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 },
  {
    "refused by a middleware": refused,
    connect_error: failures,
    "ping timeout": pingTimeout,
    "server disconnect": serverDisconnect,
    namespaces,
  },
);
