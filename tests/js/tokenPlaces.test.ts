import type { EverwireError, Options } from "everwire";
import { expect, it, vi } from "vitest";
import { makeClient, recorder, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl_-";

function connect(options: Options) {
  const client = makeClient({ reconnect: { jitter: 0 }, ...options });
  client.connect();
  return client;
}

it("subprotocols are offered in their order, with a token in the URL or without one", () => {
  connect({ protocols: ["chat.v2", "chat.v1"], token: JWT });
  expect(StandInSocket.newest.protocols).toEqual(["chat.v2", "chat.v1"]);
  expect(StandInSocket.newest.url).toBe(`ws://server.test/api/ws?token=${JWT}`);
  connect({ protocols: "chat.v2" });
  expect(StandInSocket.newest.protocols).toEqual(["chat.v2"]);
  connect({});
  expect(StandInSocket.newest.protocols).toEqual([]);
});

it("the token's query parameter may have any name", () => {
  connect({ url: "http://server.test?v=2", path: "", tokenParam: "access token", token: "a&b" });
  expect(StandInSocket.newest.url).toBe("ws://server.test/?v=2&access%20token=a%26b");
});

it("a token as first message goes out before the hello, and before what waited", () => {
  const client = connect({
    delivery: "reliable",
    token: JWT,
    tokenIn: "first-message",
    tokenParam: "jwt",
    authEvent: "login",
  });
  client.send("note", {});
  const socket = StandInSocket.newest;
  expect(socket.url).toBe("ws://server.test/api/ws");
  socket.opens();
  expect(socket.types).toEqual(["login", "hello", "ping"]);
  expect(socket.frames[0]).toEqual({ type: "login", data: { jwt: JWT }, timestamp: Date.now() });
});

it("every connection says its own token first, and one without a token says none", async () => {
  const tokens = ["first", "second", null];
  const client = connect({
    token: async () => tokens.shift(),
    anonymous: true,
    tokenIn: "first-message",
    heartbeat: { intervalMs: 600_000 },
  });
  client.send("join_session", { session_id: "s" });
  const said: unknown[] = [];
  for (let connection = 0; connection < 3; connection++) {
    await vi.advanceTimersByTimeAsync(connection && 1_000);
    const socket = StandInSocket.newest;
    socket.opens();
    said.push(socket.frames.map(({ type, data }) => [type, data.token]));
    await vi.advanceTimersByTimeAsync(5_000);
    socket.ends();
  }
  expect(said).toEqual([
    [
      ["authenticate", "first"],
      ["join_session", undefined],
    ],
    [
      ["authenticate", "second"],
      ["join_session", undefined],
    ],
    [["join_session", undefined]],
  ]);
});

it("a socket that is abandoned before it opened takes its first message with it", () => {
  let token = "first";
  const client = connect({ token: () => token, tokenIn: "first-message" });
  const abandoned = StandInSocket.newest;
  token = "";
  client.reconnect();
  token = "second";
  client.tokenChanged();
  abandoned.opens();
  StandInSocket.newest.opens();
  expect(abandoned.texts).toEqual([]);
  expect(StandInSocket.newest.frames.map(({ data }) => data.token)).toEqual(["second"]);
});

it("a token as subprotocol comes after the others, and only where there is one", () => {
  connect({ protocols: "chat", token: JWT, tokenIn: "subprotocol" });
  expect(StandInSocket.newest.protocols).toEqual(["chat", JWT]);
  expect(StandInSocket.newest.url).toBe("ws://server.test/api/ws");
  connect({ protocols: "chat", tokenIn: "subprotocol" });
  expect(StandInSocket.newest.protocols).toEqual(["chat"]);
});

it.each(["with/slash", "padded=", "two words", "com,ma", "zoë", "new\nline"])(
  "a token that no subprotocol can be, such as %o, is an error that says so and does not hold it",
  (token) => {
    const { handler, heard } = recorder<EverwireError>();
    const client = makeClient({ token, tokenIn: "subprotocol", reconnect: { maxAttempts: 1 } });
    client.on("error", handler as never);
    client.connect();
    expect(StandInSocket.made).toEqual([]);
    expect(heard).toMatchObject([{ code: "token_failed", message: expect.stringContaining("subprotocol") }]);
    expect(`${heard[0]} ${heard[0]?.stack} ${heard[0]?.cause}`).not.toContain(token);
    expect(client.getSnapshot()).toMatchObject({ phase: "waiting", close: { cause: "token_failed" }, error: heard[0] });
  },
);

it("a promise that is not of the browser gives one token to one attempt", async () => {
  const then = (give: (token: string) => void) => void setTimeout(give, 50, "late");
  const promise = {};
  Reflect.set(promise, "then", then);
  const token = () => promise as never;
  const client = makeClient({ token, reconnect: { jitter: 0 } });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  client.connect();
  await vi.advanceTimersByTimeAsync(60);
  expect([errors, StandInSocket.made.length]).toEqual([[], 1]);
  StandInSocket.newest.opens();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([client.isConnected(), StandInSocket.made.length]).toEqual([true, 1]);
});
