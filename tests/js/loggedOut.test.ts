import type { NativeSocketClient, Options } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { reliableClient } from "./harness/reliable";
import { StandInOutbox } from "./harness/standInOutbox";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const urls = () => StandInSocket.made.map(({ url }) => url);

/** A client that has asked for a token, and the user who may log in. */
async function visitor() {
  const user: { token: string | null } = { token: null };
  const client = makeClient({ token: () => user.token });
  client.connect();
  await vi.advanceTimersByTimeAsync(0);
  return { client, user };
}

describe("a client without a token", () => {
  it.each<[string, Options["token"]]>([
    ["null", () => null],
    ["undefined", () => undefined],
    ["an empty string", () => ""],
    ["a promise of null", () => Promise.resolve(null)],
    ["a promise of undefined", async () => undefined],
    ["a promise of an empty string", async () => ""],
    ["an empty string without a function", ""],
  ])("that is given %s waits logged out, and nothing fails", async (_what, token) => {
    const client = makeClient({ token });
    const told = recorder();
    for (const event of ["close", "error", "reconnecting", "give_up"] as const) client.on(event, told.handler);
    client.connect();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(client.getSnapshot()).toMatchObject({
      state: "closed",
      phase: "logged_out",
      attempt: 0,
      retryAt: null,
      close: null,
      error: null,
    });
    expect([told.heard, urls(), vi.getTimerCount()]).toEqual([[], [], 0]);
  });

  it.each<[string, (client: NativeSocketClient) => void]>([
    ["tokenChanged()", (client) => client.tokenChanged()],
    ["connect()", (client) => client.connect()],
    ["reconnect()", (client) => client.reconnect()],
  ])("goes on with %s, and sends what has waited", async (_what, goOn) => {
    const { client, user } = await visitor();
    expect(client.send("note", { n: 1 }).status).toBe("queued");
    user.token = "t";
    goOn(client);
    StandInSocket.newest.opens();
    expect(urls()).toEqual(["ws://server.test/api/ws?token=t"]);
    expect(StandInSocket.newest.frames).toMatchObject([{ type: "note", data: { n: 1 } }]);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", queued: 0 });
  });

  it("forgets an earlier failure of its token function", async () => {
    let answer = (): string | null => {
      throw new Error("no network");
    };
    const client = makeClient({ token: () => answer() });
    client.connect();
    expect(client.getSnapshot()).toMatchObject({ phase: "waiting", error: { code: "token_failed" } });
    answer = () => null;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "logged_out", error: null });
  });

  it("tells its phase by a `state` event", async () => {
    const { handler, heard } = recorder();
    const client = makeClient({ token: () => null });
    client.on("state", (snapshot) => handler(snapshot.phase));
    client.connect();
    expect(heard).toContain("logged_out");
  });

  it("is woken neither by the page nor by the network", async () => {
    const listeners = new Map<string, () => void>();
    vi.stubGlobal("addEventListener", (event: string, listener: () => void) => listeners.set(event, listener));
    vi.stubGlobal("removeEventListener", (event: string) => listeners.delete(event));
    const client = makeClient({ token: async () => null });
    client.connect();
    expect(listeners.size).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(0);
    expect([client.getSnapshot().phase, [...listeners.keys()]]).toEqual(["logged_out", []]);
  });
});

describe("anonymous", () => {
  it.each<[string, Options]>([
    ["no `token`", {}],
    ["an undefined `token`", { token: undefined }],
    ["a function that gives null", { token: () => null, anonymous: true }],
    ["a function that gives undefined", { token: async () => undefined, anonymous: true }],
    ["an empty string", { token: "", anonymous: true }],
  ])("connects without a token with %s", async (_what, options) => {
    makeClient(options).connect();
    await vi.advanceTimersByTimeAsync(0);
    expect(urls()).toEqual(["ws://server.test/api/ws"]);
  });

  it("sends the token of a user who has one", () => {
    makeClient({ token: () => "t", anonymous: true }).connect();
    expect(urls()).toEqual(["ws://server.test/api/ws?token=t"]);
  });
});

describe("with an outbox", () => {
  it.each<[string, Options, string, string[]]>([
    ["no `token` connects", {}, "connecting", ["ws://server.test/api/ws"]],
    ["a function that gives null waits", { token: () => null }, "logged_out", []],
    ["an empty string waits", { token: "" }, "logged_out", []],
    [
      "null connects an anonymous client",
      { token: () => null, anonymous: true },
      "connecting",
      ["ws://server.test/api/ws"],
    ],
  ])("%s", async (_what, options, phase, expected) => {
    const outbox = new StandInOutbox();
    const client = reliableClient({ outbox, ...options });
    client.connect();
    await outbox.opened();
    await vi.advanceTimersByTimeAsync(0);
    expect([client.getSnapshot().phase, urls()]).toEqual([phase, expected]);
  });
});

describe("tokenChanged()", () => {
  it("revives a client whose token was refused", async () => {
    let token = "old";
    const client = makeClient({ token: () => token });
    client.connect();
    StandInSocket.newest.ends(1008);
    await vi.advanceTimersByTimeAsync(5_000);
    StandInSocket.newest.ends(1008);
    expect(client.getSnapshot().phase).toBe("fatal");
    token = "new";
    client.tokenChanged();
    expect(client.getSnapshot().phase).toBe("connecting");
    expect(urls().at(-1)).toBe("ws://server.test/api/ws?token=new");
  });

  it("does not touch an open connection, nor connect an idle client", () => {
    const idle = makeClient({ token: "t" });
    idle.tokenChanged();
    const { client, socket } = openClient({ token: "t" });
    client.tokenChanged();
    expect([idle.getSnapshot().phase, client.getSnapshot().phase]).toEqual(["idle", "open"]);
    expect(StandInSocket.made).toEqual([socket]);
  });

  it("is in vain after disconnect(), and after dispose()", async () => {
    const { client, user } = await visitor();
    user.token = "t";
    client.disconnect();
    client.tokenChanged();
    expect([client.getSnapshot().phase, urls()]).toEqual(["idle", []]);
    client.dispose();
    client.tokenChanged();
    expect(urls()).toEqual([]);
  });

  it("outweighs an answer that was on its way before it", async () => {
    const answers: ((token: string | null) => void)[] = [];
    const client = makeClient({ token: () => new Promise((resolve) => answers.push(resolve)) });
    client.connect();
    client.tokenChanged();
    answers[0]?.(null);
    await vi.advanceTimersByTimeAsync(2_000);
    answers[1]?.("new");
    await vi.advanceTimersByTimeAsync(0);
    expect(urls()).toEqual(["ws://server.test/api/ws?token=new"]);
  });
});

it("who disconnects while the token is asked for stays idle, whatever the answer", async () => {
  let answer: (token: null) => void = () => {};
  const client = makeClient({
    token: () =>
      new Promise<null>((resolve) => {
        answer = resolve;
      }),
  });
  client.connect();
  client.disconnect();
  answer(null);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.getSnapshot().phase).toBe("idle");
});
