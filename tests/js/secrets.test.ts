import type { Logger, Options } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const TOKEN = "eyJhbGciOi+secret/token==";
const PAYLOAD = "what nobody else may read";

/** Everything that a value shows to whoever prints, serialises or inspects it. */
function shown(value: unknown, depth = 0): string {
  if (typeof value !== "object" || value === null || depth > 4) return String(value);
  return Reflect.ownKeys(value)
    .map((key) => `${String(key)}: ${shown(Reflect.get(value, key), depth + 1)}`)
    .join("\n");
}

function logBook(): { logger: Required<Logger>; lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (text: string) => lines.push(`${level} ${text}`);
  return {
    lines,
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
}

it("the logger hears what happens to a connection", () => {
  const { logger, lines } = logBook();
  const client = makeClient({ logger, reconnect: { jitter: 0, maxAttempts: 1 }, queue: { ttlMs: 1 } });
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.saysText("nonsense");
  StandInSocket.newest.says("error", { code: "app", message: "the application's own" });
  StandInSocket.newest.ends(1011, "server is ill");
  client.send("note", {});
  vi.advanceTimersByTime(1_000);
  StandInSocket.newest.ends();
  expect(lines).toEqual([
    "info everwire: open {}",
    expect.stringMatching(/^error everwire: .*not JSON$/),
    'info everwire: close {"code":1011,"reason":"server is ill","cause":null,"wasClean":true}',
    'info everwire: reconnecting {"attempt":1,"delayMs":1000}',
    'warn everwire: drop {"type":"note","reason":"expired"}',
    'info everwire: close {"code":1006,"reason":"","cause":null,"wasClean":false}',
    'warn everwire: give_up {"attempts":1}',
  ]);
});

it("the logger hears of every message that is refused, by type and code, and of nothing that is in it", async () => {
  const { logger, lines } = logBook();
  const client = makeClient({ logger, maxMessageBytes: 200 });
  client.send("note", { PAYLOAD: PAYLOAD.repeat(10) });
  client.send("note", { PAYLOAD, big: 1n });
  client.send({ PAYLOAD } as unknown as string);
  client.send("typing", { match_id: PAYLOAD });
  await expect(client.request("ask", { PAYLOAD })).rejects.toMatchObject({ code: "unsupported" });
  client.dispose();
  client.send("note");
  expect(lines).toEqual([
    'warn everwire: refused {"type":"note","code":"too_large"}',
    'warn everwire: refused {"type":"note","code":"unserialisable"}',
    'warn everwire: refused {"code":"invalid_event"}',
    'warn everwire: refused {"type":"typing","code":"not_open"}',
    'warn everwire: refused {"type":"ask","code":"unsupported"}',
    'warn everwire: refused {"type":"note","code":"disposed"}',
  ]);
});

it("the logger hears once why connect() or reconnect() threw, whoever swallows it", () => {
  const { logger, lines } = logBook();
  const client = makeClient({ logger, url: `nonsense ${TOKEN}` });
  expect(() => client.connect()).toThrow();
  expect(() => client.reconnect()).toThrow();
  client.dispose();
  expect(() => client.connect()).toThrow();
  expect(lines).toEqual([
    ...Array(2).fill('error everwire: `url` is not an absolute URL such as "https://example.com"'),
    "error everwire: the client was disposed of",
  ]);
});

it("a logger that throws does not keep a refusal from who has sent", () => {
  const reportError = vi.fn();
  vi.stubGlobal("reportError", reportError);
  const fail = () => {
    throw new Error("disk full");
  };
  const client = makeClient({ logger: { warn: fail, error: fail }, url: "nonsense" });
  expect(client.send("")).toMatchObject({ status: "refused", code: "invalid_event" });
  expect(() => client.connect()).toThrow("absolute URL");
  expect(reportError).toHaveBeenCalledTimes(2);
});

it("a logger may leave out what it does not want to hear", () => {
  const client = makeClient({ logger: {} });
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.saysText("nonsense");
  StandInSocket.newest.ends();
  expect(client.getSnapshot().phase).toBe("waiting");
});

it("a logger that throws does not hold up the connection", () => {
  vi.stubGlobal("reportError", vi.fn());
  const fail = () => {
    throw new Error("disk full");
  };
  const client = makeClient({ logger: { info: fail, warn: fail, error: fail } });
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(client.isConnected()).toBe(true);
});

const JWT = "eyJhbGciOi.secret-token";

describe.each<[Options["tokenIn"], string, (socket: StandInSocket) => string]>([
  ["query", TOKEN, ({ url }) => decodeURIComponent(url)],
  ["first-message", TOKEN, ({ texts }) => String(texts[0])],
  ["subprotocol", JWT, ({ protocols }) => String(protocols)],
])("with the token in: %s", (tokenIn, token, place) => {
  it.each<[string, (socket: StandInSocket) => void]>([
    ["a lost connection", (socket) => socket.ends()],
    ["a refused token", (socket) => socket.ends(1008, "bad token")],
    ["a fatal close", (socket) => socket.ends(1002)],
    ["a frame that is no event", (socket) => socket.saysText("nonsense")],
  ])("neither token nor payload shows in anything that %s makes visible", async (_, happens) => {
    const { logger, lines } = logBook();
    const heard: unknown[] = [];
    const spies = (["debug", "info", "log", "warn", "error"] as const).map((level) => vi.spyOn(console, level));
    const client = makeClient({ logger, token: async () => token, tokenIn, reconnect: { maxAttempts: 2 } });
    for (const event of ["open", "close", "state", "reconnecting", "give_up", "error"]) {
      client.on(event, (data) => heard.push(data));
    }
    client.send("note", { PAYLOAD });
    heard.push(client.send("note", { PAYLOAD, big: 1n }), client.send("note", { PAYLOAD: PAYLOAD.repeat(1_000) }));
    client.connect();
    await vi.advanceTimersByTimeAsync(0);
    heard.push(shown(client));
    StandInSocket.newest.opens();
    expect(place(StandInSocket.newest)).toContain(token);
    happens(StandInSocket.newest);
    await vi.advanceTimersByTimeAsync(10_000);
    const visible = [
      ...lines,
      ...heard.map((value) => shown(value)),
      shown(client.getSnapshot()),
      shown(client),
      JSON.stringify(client),
      ...spies.flatMap((spy) => spy.mock.calls.flat().map(String)),
    ].join("\n");
    expect(visible).toContain("open");
    expect(visible).not.toContain(token);
    expect(visible).not.toContain(encodeURIComponent(token));
    expect(visible).not.toContain(PAYLOAD);
  });
});

it("a token that no subprotocol can be is reported without its value", () => {
  const { logger, lines } = logBook();
  const heard: unknown[] = [];
  const client = makeClient({ logger, token: TOKEN, tokenIn: "subprotocol" });
  for (const event of ["close", "state", "reconnecting", "error"]) client.on(event, (data) => heard.push(data));
  client.connect();
  expect(heard.length).toBeGreaterThan(0);
  expect([...lines, ...heard.map((value) => shown(value)), shown(client.getSnapshot())].join("\n")).not.toContain(
    TOKEN,
  );
});

it("a token of a wrong type is reported without its value", () => {
  const client = makeClient({ token: (() => ({ jwt: TOKEN })) as unknown as () => string });
  const heard: unknown[] = [];
  client.on("error", (error) => heard.push(error));
  client.connect();
  expect(heard).toHaveLength(1);
  expect(shown(heard[0])).not.toContain(TOKEN);
});

it("a socket that cannot be made is reported without its address", () => {
  vi.stubGlobal(
    "WebSocket",
    class {
      constructor(url: string, protocols: string[]) {
        throw new DOMException(`The URL '${url}' with '${protocols}' is not allowed.`, "SecurityError");
      }
    },
  );
  const { logger, lines } = logBook();
  const heard: unknown[] = [];
  const client = makeClient({ logger, token: TOKEN });
  for (const event of ["close", "state", "reconnecting", "error"]) client.on(event, (data) => heard.push(data));
  client.connect();
  expect(client.getSnapshot().state).toBe("closed");
  expect(heard.length).toBeGreaterThan(0);
  expect([...lines, ...heard.map((value) => shown(value)), shown(client.getSnapshot())].join("\n")).not.toContain(
    encodeURIComponent(TOKEN),
  );
});
