import { type Chat, type EverwireError, NativeSocketClient, type Options } from "everwire";
import { chat } from "everwire/session";
import {
  colabmatch,
  type Data,
  type HistoryQuery,
  seedCrypto,
  seededRandom,
  TestServer,
  TestServerError,
  type TestServerOptions,
  virtualClock,
} from "everwire/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { accepted, outcome, statusesOf } from "./harness/reliable";

const ended: (() => void)[] = [];
const servers: TestServer[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  const endings = ended.splice(0).reverse();
  servers.length = 0;
  vi.useRealTimers();
  for (const end of endings) end();
});

function startServer(options?: TestServerOptions): TestServer {
  const server = new TestServer(options);
  servers.push(server);
  ended.push(() => server.close());
  return server;
}

function clientOf(user: string, options?: Options): NativeSocketClient {
  const client = new NativeSocketClient({
    url: "ws://test",
    token: user,
    WebSocket: servers.at(-1)?.WebSocket,
    reconnect: { jitter: 0, maxAttempts: Number.POSITIVE_INFINITY },
    ...options,
  });
  ended.push(() => client.dispose());
  client.connect();
  return client;
}

const reliable: Options = { delivery: "reliable" };

/** What a client is given of one event. */
function heardBy(client: NativeSocketClient, type: string): Data[] {
  const heard: Data[] = [];
  client.on(type, (data: Data) => heard.push(data));
  return heard;
}

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const until = async (condition: () => boolean) => {
  for (let wait = 0; !condition() && wait < 1_000; wait++) await advance(100);
  expect(condition()).toBe(true);
};

/** 50 losses of the connection, at times that the seed of the test repeats. */
function fiftyDrops(): { at: number; drop: true }[] {
  const random = seededRandom(50);
  let at = 0;
  return Array.from({ length: 50 }, () => {
    at += 2 + Math.floor(random() * 4_000);
    return { at, drop: true };
  });
}

describe("a script of faults, in virtual time", () => {
  it("a reliable client loses and doubles nothing over 50 drops, in both directions", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.delay([5, 200]);
    server.faults.script(fiftyDrops());
    const sent = Array.from({ length: 400 }, (_, n) => n);
    for (const n of sent) {
      accepted(client.send("note", { n }));
      server.emit("notification", { n });
      await advance(250);
    }
    await until(() => heard.length === sent.length && server.received("note").length === sent.length);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual(sent);
    expect(heard.map(({ n }) => n)).toEqual(sent);
    expect(new Set(server.received("note").map(({ connection }) => connection.id)).size).toBeGreaterThan(10);
    expect(client.getSnapshot().protocolErrors).toBe(0);
    await server.settled();
  });

  it("at most once, what is under way at a drop is lost, and nothing is doubled", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.faults.delay([5, 200]);
    server.faults.script(fiftyDrops());
    const sent = Array.from({ length: 400 }, (_, n) => n);
    for (const n of sent) {
      accepted(client.send("note", { n }));
      await advance(250);
    }
    await until(() => client.getSnapshot().queued === 0);
    await advance(1_000);
    const received = server.received("note").map(({ data }) => data["n"] as number);
    expect(received.length).toBeLessThan(sent.length);
    expect(received.length).toBeGreaterThan(sent.length / 2);
    expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  });

  it("is the same with the same seed", async () => {
    const play = async () => {
      const crypto = seedCrypto(7);
      const server = startServer({ seed: 3 });
      const client = clientOf("ada", { ...reliable, reconnect: { jitter: 1, maxAttempts: 100 } });
      await server.connection();
      const begun = performance.now();
      const times: number[] = [];
      client.on("reconnecting", ({ delayMs }) => times.push(performance.now() - begun, delayMs));
      server.faults.delay([1, 400]);
      server.faults.script(fiftyDrops().slice(0, 10));
      await advance(60_000);
      crypto.restore();
      client.dispose();
      return [times, server.transcript().map((line) => line.replace(/"timestamp":("[^"]*"|\d+)/g, ""))];
    };
    const [first, second] = [await play(), await play()];
    expect(first[0]?.length).toBeGreaterThan(5);
    expect(second).toEqual(first);
  });

  it("a step that names no fault is refused", () => {
    const { faults } = startServer();
    expect(() => faults.script([{ at: 5 }])).toThrow("a step of a fault script needs `at`");
    expect(() => faults.script([{ at: 5, explode: true } as never])).toThrow("there is no fault `explode`");
  });

  it("what is left of a script can be cancelled", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    const cancel = server.faults.script([
      { at: 100, close: 1001 },
      { at: 10_000, drop: true },
    ]);
    await advance(5_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", close: { code: 1001 } });
    cancel();
    await advance(10_000);
    expect(client.getSnapshot().close?.code).toBe(1001);
  });
});

describe("one fault", () => {
  it("lost acknowledgements: processed once, and the client learns it from the next welcome", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.loseAcks();
    const message = accepted(client.send("note", { n: 1 }));
    await server.settled();
    expect([message.status, server.received("note").length]).toEqual(["sent", 1]);
    await until(() => message.status === "acknowledged");
    expect(server.received("note")).toHaveLength(1);
    expect(client.getSnapshot().close?.cause).toBe("ack_timeout");
  });

  it("a frame that a proxy swallows is noticed by the numbers", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.dropNextFrame({ type: "notification" });
    server.faults.dropNextFrame({ from: "client", type: "note" });
    for (const n of [1, 2]) {
      client.send("note", { n });
      server.emit("notification", { n });
    }
    await until(() => heard.length === 2 && server.received("note").length === 2);
    expect(heard.map(({ n }) => n)).toEqual([1, 2]);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual([1, 2]);
  });

  it("a silent server is found dead by its missing pong", async () => {
    const server = startServer();
    const client = clientOf("ada", { heartbeat: { intervalMs: 30_000, timeoutMs: 10_000 } });
    await server.connection();
    await advance(31_000);
    expect(client.getSnapshot().lastRttMs).toBe(0);
    server.faults.silence();
    await advance(39_999);
    expect(client.getSnapshot()).toMatchObject({ close: { cause: "pong_timeout" } });
    server.faults.speak();
    await advance(10_000);
    expect(client.isConnected()).toBe(true);
  });

  it("refused connections are tried again after 1, 2 and 4 seconds", async () => {
    const server = startServer();
    server.faults.refuseConnections(3);
    const client = clientOf("ada");
    const delays: number[] = [];
    client.on("reconnecting", ({ delayMs }) => delays.push(delayMs));
    await advance(6_999);
    expect([delays, client.isConnected()]).toEqual([[1_000, 2_000, 4_000], false]);
    await advance(1);
    expect(client.isConnected()).toBe(true);
  });

  it("a refused token is asked for once more, and then the client stops", async () => {
    const server = startServer();
    server.faults.refuseConnections(2, { code: 1008 });
    const asked: boolean[] = [];
    const client = clientOf("ada", {
      token: ({ refused }) => {
        asked.push(refused);
        return "ada";
      },
    });
    await advance(20_000);
    expect([asked, client.getSnapshot().phase]).toEqual([[false, true], "fatal"]);
  });

  it("latency shows in the round-trip time, and frames stay in order", async () => {
    const server = startServer();
    server.faults.delay(70);
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await advance(1_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", lastRttMs: 140 });
    server.faults.delay([0, 500]);
    for (let n = 0; n < 20; n++) server.emit("notification", { n });
    await advance(1_000);
    expect(heard.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it("a message is refused before anybody sees it", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.refuseMessages({ type: "join_session", code: "too_many_sessions" });
    const refused = accepted(client.send("join_session", { session_id: "s1" }));
    expect(await outcome(refused.done())).toBe("refused");
    expect(server.refused().map(({ type, code }) => [type, code])).toEqual([["join_session", "too_many_sessions"]]);
    expect(server.members("s1")).toEqual([]);
  });

  it("who leaves on one device is a member on the other, until that one has left too or is away", async () => {
    for (const options of [reliable, {}]) {
      const server = startServer({ dialect: "masterx" });
      const laptop = clientOf("ada", options);
      const phone = clientOf("ada", options);
      await server.settled();
      for (const client of [laptop, phone]) accepted(client.send("join_session", { session_id: "s1" }));
      await advance(100);
      accepted(laptop.send("leave_session", { session_id: "s1" }));
      await advance(100);
      expect(server.members("s1")).toEqual(["ada"]);
      accepted(phone.send("message_sent", { session_id: "s1", message: { id: "1", content: "hi" } }));
      await advance(100);
      expect(server.refused()).toEqual([]);
      accepted(laptop.send("join_session", { session_id: "s1" }));
      await advance(100);
      phone.disconnect();
      await advance(100);
      expect(server.members("s1")).toEqual(["ada"]);
      accepted(laptop.send("leave_session", { session_id: "s1" }));
      await advance(100);
      expect(server.members("s1")).toEqual([]);
    }
  });

  it("offline without an announcement is noticed by the heartbeat, and online by the next attempt", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.offline({ announced: false });
    const message = accepted(client.send("note", {}));
    await advance(45_000);
    expect([client.isConnected(), message.status, server.connections.length]).toEqual([false, "sent", 0]);
    server.faults.online();
    await until(() => message.status === "acknowledged");
    expect(server.received("note")).toHaveLength(1);
  });
});

describe("a server that restarts", () => {
  it("with its memory goes on where it was", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const gaps = heardBy(client, "gap");
    await server.connection();
    const statuses = statusesOf(accepted(client.send("note", { n: 1 })));
    server.faults.restart({ downMs: 3_000 });
    server.emit("notification", { n: 1 });
    await until(() => statuses.at(-1) === "acknowledged");
    expect([server.received("note").length, gaps]).toEqual([1, []]);
  });

  it("twice at once is away until both are over", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.faults.restart({ downMs: 10_000 });
    server.faults.restart({ downMs: 2_000 });
    await advance(9_000);
    expect(client.isConnected()).toBe(false);
    await advance(10_000);
    expect(client.isConnected()).toBe(true);
  });

  it("with another database: a gap without an end, and what is unacknowledged is sent again", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const [gaps, heard] = [heardBy(client, "gap"), heardBy(client, "notification")];
    await server.connection();
    server.emit("notification", { n: 1 });
    await accepted(client.send("note", { n: 1 })).done();
    server.faults.dropNextFrame({ from: "client", type: "note" });
    const lost = accepted(client.send("note", { n: 2 }));
    await server.settled();
    server.faults.restart({ forget: "everything" });
    await until(() => lost.status === "acknowledged");
    server.emit("notification", { n: 2 });
    await server.settled();
    expect(gaps).toContainEqual({ stream: "user", from: 2, to: null });
    expect(heard.map(({ n }) => n)).toEqual([1, 2]);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual([1, 2]);
  });

  it("that has forgotten its clients cannot say what became of a message: it is dropped as unconfirmed", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    await accepted(client.send("note", { n: 1 })).done();
    server.faults.loseAcks();
    const unknown = accepted(client.send("note", { n: 2 }));
    await server.settled();
    server.faults.restart({ forget: "clients" });
    const reason = outcome(unknown.done());
    await until(() => unknown.status === "failed");
    expect(await reason).toBe("unconfirmed");
    expect(server.received("note")).toHaveLength(2);
  });

  it("history that has run out is named as a gap", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const [gaps, heard] = [heardBy(client, "gap"), heardBy(client, "notification")];
    await server.connection();
    server.faults.drop();
    for (const n of [1, 2, 3]) server.emit("notification", { n });
    server.forgetEvents("ada", 2);
    await until(() => heard.length > 0);
    expect([gaps, heard]).toEqual([[{ stream: "user", from: 1, to: 2 }], [{ n: 3 }]]);
  });
});

describe("requests and handlers", () => {
  it("what a handler returns is the reply, also when it takes its time", async () => {
    const server = startServer();
    const client = clientOf("ada", { ...reliable, heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 } });
    await server.connection();
    server.on("add", ({ a, b }) => ({ sum: Number(a) + Number(b) }));
    server.on("slow", async () => {
      await new Promise((resolve) => setTimeout(resolve, 25_000));
      return { slow: true };
    });
    expect(await client.request("add", { a: 1, b: 2 })).toEqual({ sum: 3 });
    const slow = client.request("slow", {}, { timeoutMs: 60_000 });
    const behind = accepted(client.send("note", {}));
    await advance(24_000);
    expect([server.received("note").length, server.connections.length, server.connections[0]?.id]).toEqual([0, 1, 1]);
    await advance(2_000);
    expect(await slow).toEqual({ slow: true });
    expect(behind.status).toBe("acknowledged");
  });

  it("a message whose handler outlives the connection is processed once", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("slow", async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return { slow: true };
    });
    const slow = client.request("slow", {}, { timeoutMs: 60_000 });
    await server.settled();
    server.faults.drop();
    await advance(10_000);
    expect(await slow).toEqual({ slow: true });
    expect(server.received("slow")).toHaveLength(1);
  });

  it("refusing ends the handler and rejects the request", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("order", (_data, { refuse }) => refuse("not_allowed", "not yours"));
    const error = await client.request("order").catch((cause: EverwireError) => cause);
    expect(error).toMatchObject({ code: "refused", cause: { code: "not_allowed", message: "not yours" } });
  });

  it("a later handler comes before the dialect's, which it can call", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    const joined: unknown[] = [];
    const off = server.on("join_session", (data, { next }) => {
      joined.push(data["session_id"]);
      return next();
    });
    await accepted(client.send("join_session", { session_id: "s1" })).done();
    off();
    await accepted(client.send("join_session", { session_id: "s2" })).done();
    expect([joined, server.members("s1"), server.members("s2")]).toEqual([["s1"], ["ada"], ["ada"]]);
  });

  it("a client of the reliable mode goes on at most once with a server that does not know it", async () => {
    const server = startServer({ reliable: false });
    const client = clientOf("ada", reliable);
    await server.connection();
    client.send("note", {});
    await server.settled();
    expect([client.getSnapshot().delivery, server.received("note")[0]?.seq]).toEqual(["at-most-once", null]);
    expect(await outcome(client.request("note"))).toBe("unsupported");
  });

  it("each message is handed out once", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    client.send("note", { n: 1 });
    client.send("note", { n: 2 });
    expect((await server.nextMessage("note")).data).toEqual({ n: 1 });
    expect((await server.nextMessage("note", { user: "ben" }).catch((error) => error)).message).toContain('of "ben"');
    expect((await server.nextMessage("note")).data).toEqual({ n: 2 });
  });
});

describe("mistakes", () => {
  it("what a handler throws is an internal refusal for the client, and fails the test", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    const cause = new Error("a bug of the test");
    server.on("note", () => {
      throw cause;
    });
    const message = accepted(client.send("note", {}));
    expect(await outcome(message.done())).toBe("refused");
    const mistake = await server.settled().catch((error: unknown) => error);
    expect(mistake).toBeInstanceOf(TestServerError);
    expect(mistake).toMatchObject({ message: "the handler of `note` threw: a bug of the test", cause });
    await server.settled();
  });

  it("mistakes that nobody has asked for fail the end of the test", async () => {
    const server = new TestServer();
    const socket = new server.WebSocket("ws://test?token=ada");
    socket.onopen = () => {
      socket.send("not JSON");
      socket.send('{"type":"note","data":[]}');
    };
    await vi.advanceTimersByTimeAsync(0);
    const close = () => server.close();
    expect(close).toThrow(AggregateError);
    expect(close).not.toThrow();
  });

  it("a malformed frame is shown as it was sent, and answered as by a real server", async () => {
    const server = startServer();
    const socket = new server.WebSocket("ws://test?token=ada");
    const heard: string[] = [];
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onopen = () => socket.send('{"type":"note","data":[7]}');
    const expected = 'sent a malformed frame, its `data` is not an object: {"type":"note","data":[7]}';
    await expect(server.settled()).rejects.toThrow(expected);
    expect(JSON.parse(heard[0] ?? "")).toMatchObject({ type: "error", data: { code: "malformed" } });
  });

  it("a client and a server that answer each other without end do not hang the test", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.on("echo", (data, { send }) => send("echo", data));
    client.on("echo", () => client.send("echo", {}));
    client.send("echo", {});
    await expect(server.settled()).rejects.toThrow("client and server answer each other without end");
  });

  it("waiting for a client that never comes ends with a reason", async () => {
    const server = startServer();
    const reason = await server.connection({ user: "ada" }).catch((error: Error) => error.message);
    expect(reason).toMatch(/^no client of "ada" has connected; with fake timers/);
  });

  it("an event that nobody can hear of is refused where it is sent", async () => {
    const server = startServer({ dialect: "masterx" });
    expect(() => server.emit("notification", {})).toThrow(
      "nobody can hear of `notification`: no client has connected yet",
    );
    clientOf("ada");
    await server.connection();
    server.emit("notification", {});
    expect(() => server.publish("s1", "notification", {})).toThrow('nobody has joined "s1" yet');
  });

  it("ids have as many bytes as those of a real server, and not as many characters", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    const join = (session_id: string) => outcome(accepted(client.send("join_session", { session_id })).done());
    expect([await join("é".repeat(64)), await join("é".repeat(65))]).toEqual([undefined, "refused"]);
  });

  it("a reply that is no JSON is a failed handler", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("count", () => ({ n: 7n }));
    expect(await outcome(client.request("count"))).toBe("refused");
    await expect(server.settled()).rejects.toThrow(
      "the handler of `count` threw: Do not know how to serialize a BigInt",
    );
  });

  it("what was sent does not change with what the test has", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.drop();
    const data = { n: 1 };
    server.emit("notification", data);
    data.n = 2;
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ n: 1 }]);
  });

  it("data that is no object is refused where it is given", () => {
    const server = startServer();
    expect(() => server.emit("notification", [] as never)).toThrow("the data of `notification` must be an object");
  });
});

describe("the clock and the platform", () => {
  it("a virtual clock of its own drives client and server, backoff and heartbeat, where the runner has none", async () => {
    vi.useRealTimers();
    const server = startServer();
    const clock = virtualClock({ server });
    ended.push(() => clock.uninstall());
    const client = clientOf("ada", reliable);
    await clock.advance(0);
    expect([client.isConnected(), Date.now(), clock.now]).toEqual([true, Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1)]);
    server.faults.script([
      { at: 1_000, drop: true },
      { at: 1_500, refuse: 2 },
      { at: 60_000, silence: true },
      { at: 120_000, speak: true },
    ]);
    await clock.advance(1_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "waiting", retryAt: clock.now + 1_000 });
    await clock.advance(59_000);
    expect(client.isConnected()).toBe(true);
    const causes: unknown[] = [];
    client.on("close", ({ cause }) => causes.push(cause));
    await clock.advance(45_000);
    expect([causes[0], client.isConnected()]).toEqual(["pong_timeout", false]);
    await clock.advance(60_000);
    expect(client.isConnected()).toBe(true);
    server.on("note", () => {
      throw new Error("on purpose");
    });
    client.send("note", {});
    await expect(clock.advance(1)).rejects.toThrow("the handler of `note` threw: on purpose");
    expect(await clock.advanceToNext()).toBeGreaterThan(0);
    expect(clock.timers).toBeGreaterThan(0);
    clock.uninstall();
    expect(Date.now()).toBeGreaterThan(Date.UTC(2026, 0, 1, 1));
  });

  it("a second fake clock is refused", () => {
    expect(() => virtualClock()).toThrow(TypeError);
  });

  it("the global WebSocket is replaced and put back", () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
    const server = new TestServer();
    server.install();
    server.install();
    expect(globalThis.WebSocket).toBe(server.WebSocket);
    server.close();
    expect(Object.getOwnPropertyDescriptor(globalThis, "WebSocket")).toEqual(before);
  });

  it("seeded randomness is put back", () => {
    const crypto = seedCrypto(1);
    const [first, id] = [globalThis.crypto.getRandomValues(new Uint8Array(8)), globalThis.crypto.randomUUID()];
    crypto.restore();
    const again = seedCrypto(1);
    expect([globalThis.crypto.getRandomValues(new Uint8Array(8)), globalThis.crypto.randomUUID()]).toEqual([first, id]);
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
    again.restore();
    expect(globalThis.crypto.getRandomValues(new Uint8Array(8))).not.toEqual(first);
  });

  it("sockets keep the rules of the WHATWG interface", async () => {
    const server = startServer();
    expect(() => new server.WebSocket("ftp://test")).toThrow("begins with ws:");
    const socket = new server.WebSocket("http://test/chat?token=ada", ["a", "b"]);
    expect([socket.url, socket.readyState]).toEqual(["ws://test/chat?token=ada", socket.CONNECTING]);
    expect(() => socket.send("{}")).toThrow("still connecting");
    expect(() => socket.close(1001)).toThrow("neither 1000 nor from 3000 to 4999");
    const events: string[] = [];
    const listener = { handleEvent: ({ type }: Event) => events.push(`listener ${type}`) };
    socket.onopen = () => events.push("onopen");
    socket.addEventListener("open", listener);
    socket.addEventListener("close", ({ code, wasClean }) => events.push(`close ${code} ${wasClean}`));
    await server.settled();
    expect([events, socket.protocol]).toEqual([["onopen", "listener open"], "a"]);
    socket.close(3001);
    socket.send("{}");
    await server.settled();
    expect([events.at(-1), socket.readyState]).toEqual(["close 3001 true", socket.CLOSED]);
  });

  it("users are the subjects of their tokens, or whoever the test says", async () => {
    const server = startServer();
    const jwt = `e30.${btoa(JSON.stringify({ sub: "ada", name: "Ä?>" }))}.sig`.replaceAll("=", "").replaceAll("+", "-");
    clientOf(jwt);
    expect((await server.connection()).user).toBe("ada");
    const strict = new TestServer({ authenticate: (token) => (token === "good" ? "ben" : null) });
    const socket = new strict.WebSocket("ws://test?token=bad");
    const codes: number[] = [];
    socket.onclose = ({ code }) => codes.push(code);
    await strict.settled();
    expect(codes).toEqual([1008]);
  });
});

describe("how clients say who they are, and ask whether the server is there", () => {
  it.each([
    ["query", { tokenIn: "query", tokenParam: "access" }],
    ["first message", { tokenIn: "first-message", authEvent: "login", tokenParam: "jwt" }],
    ["subprotocol", { tokenIn: "subprotocol" }],
  ] as const)("the token is found in the %s", async (_name, options) => {
    const server = startServer(options);
    const client = clientOf("ada", { ...reliable, ...options, protocols: ["everwire"] });
    const message = accepted(client.send("note", {}));
    expect((await server.connection()).user).toBe("ada");
    expect([message.status, server.received().map(({ user }) => user)]).toEqual(["acknowledged", ["ada"]]);
  });

  it("who says something else first is closed", async () => {
    const server = startServer({ tokenIn: "first-message" });
    const client = clientOf("ada");
    await advance(0);
    client.send("note", {});
    await server.settled();
    expect([client.getSnapshot().close?.code, server.received()]).toEqual([1008, []]);
  });

  it("ping and pong have the names of the client's option", async () => {
    const heartbeat = { ping: "are_you_there", pong: "i_am" };
    const server = startServer({ heartbeat });
    const client = clientOf("ada", { heartbeat });
    await server.connection();
    await advance(31_000);
    expect([client.getSnapshot().lastRttMs, server.received()]).toEqual([0, []]);
  });
});

describe("with the conversations of everwire/session", () => {
  const contents = (conversation: Chat) =>
    conversation.getSnapshot().messages.map(({ content, status }) => `${content}: ${status}`);

  it("MasterX: two users and a second device agree over a restart of the server", async () => {
    const server = startServer({ dialect: "masterx" });
    server.seedHistory("s1", [
      {
        id: "old",
        content: "earlier",
        role: "user",
        timestamp: "2025-12-31T00:00:00.000Z",
        user_id: "ben",
        session_id: "s1",
      },
    ]);
    const open = (userId: string) => {
      const loadEarlier = async ({ id, ...query }: HistoryQuery & { readonly id: string }) => server.history(id, query);
      const conversation = clientOf(userId, { ...reliable, chat: chat({ userId, loadEarlier }) }).session("s1");
      ended.push(conversation.join());
      return conversation;
    };
    const [ada, phone, ben] = [open("ada"), open("ada"), open("ben")] as const;
    await server.settled();
    ada.send("one");
    server.faults.restart({ downMs: 5_000 });
    ada.send("two");
    ben.send("three");
    expect(contents(ada)).toEqual(["one: sending", "two: sending"]);
    await advance(20_000);
    for (const conversation of [ada, phone, ben]) {
      const words = contents(conversation).map((text) => text.split(":")[0]);
      expect(words.slice().sort()).toEqual(["earlier", "one", "three", "two"]);
      expect(words.indexOf("one")).toBeLessThan(words.indexOf("two"));
    }
    expect(contents(ada).filter((text) => text.endsWith("delivered"))).toEqual(["one: delivered", "two: delivered"]);
    expect(ada.getSnapshot().members).toEqual([
      { userId: "ada", online: true },
      { userId: "ben", online: true },
    ]);
    expect(server.received("message_sent")).toHaveLength(3);
  });

  it("CoLabMatch: messages, typing and receipts of two users", async () => {
    const server = startServer({ dialect: "colabmatch" });
    const open = (userId: string) => {
      const conversation = clientOf(userId, { ...reliable, chat: chat({ userId }) }).match("m1");
      ended.push(conversation.join());
      return conversation;
    };
    const [ada, ben] = [open("ada"), open("ben")] as const;
    await server.settled();
    ada.keyPressed();
    await server.settled();
    expect(ben.getSnapshot().typing).toEqual(["ada"]);
    await advance(2_500);
    expect(ben.getSnapshot().typing).toEqual([]);
    ada.send("hello");
    await server.settled();
    expect([contents(ada), ben.getSnapshot().unread]).toEqual([["hello: delivered"], 1]);
    ben.markAsRead();
    await advance(1_000);
    expect([contents(ada), ben.getSnapshot().unread]).toEqual([["hello: read"], 0]);
  });
});

describe("MasterX", () => {
  async function session(users: readonly string[], options = reliable) {
    const server = startServer({ dialect: "masterx" });
    const clients = users.map((user) => clientOf(user, options));
    await server.settled();
    for (const client of clients) client.send("join_session", { session_id: "s1" });
    await server.settled();
    return { server, clients: clients as [NativeSocketClient, NativeSocketClient, NativeSocketClient] };
  }
  const say = (id: string) => ({ session_id: "s1", message: { id, content: `text of ${id}` } });

  it.each([
    ["at most once", {}],
    ["reliable", reliable],
  ])("a message reaches the others and the sender's other device, %s", async (_name, options) => {
    const { server, clients } = await session(["ada", "ada", "ben"], options);
    const heard = clients.map((client) => heardBy(client, "message_received"));
    const message = accepted(clients[0].send("message_sent", say("m1")));
    await server.settled();
    const received = {
      message: expect.objectContaining({ id: "m1", content: "text of m1", role: "user", user_id: "ada" }),
    };
    expect(heard).toEqual([[], [received], [received]]);
    expect(message.status).toBe("delivery" in options ? "delivered" : "sent");
    expect(server.history("s1").messages.map(({ id }) => id)).toEqual(["m1"]);
  });

  it("members are told who is there and who is online", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[0], "session_members");
    clients[1].disconnect();
    await server.settled();
    expect(heard.at(-1)).toEqual({
      session_id: "s1",
      members: [
        { user_id: "ada", online: true },
        { user_id: "ben", online: false },
      ],
    });
  });

  it("a server with another database is joined again, and goes on", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[1], "message_received");
    server.faults.restart({ forget: "everything" });
    await until(() => server.members("s1").length === 2);
    clients[0].send("message_sent", say("m1"));
    await server.settled();
    expect(heard).toMatchObject([{ message: { id: "m1" } }]);
  });

  it("typing goes to the others and is never stored; strangers are refused", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const stranger = clientOf("eve", reliable);
    const heard = clients.map((client) => heardBy(client, "typing_indicator"));
    const errors = heardBy(stranger, "error");
    await server.settled();
    clients[0].send("user_typing", { session_id: "s1", isTyping: true });
    stranger.send("user_typing", { session_id: "s1", isTyping: true });
    await server.settled();
    expect(heard).toEqual([[], [{ user_id: "ada", session_id: "s1", isTyping: true }]]);
    expect(errors).toMatchObject([{ code: "not_joined", about: "user_typing" }]);
    expect(await outcome(accepted(stranger.send("message_sent", say("m9"))).done())).toBe("refused");
  });

  it("what is said while a reliable member is away waits for them", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[1], "message_received");
    server.faults.refuseConnections(4);
    server.connections.find(({ user }) => user === "ben")?.drop();
    for (const id of ["m1", "m2"]) clients[0].send("message_sent", say(id));
    await until(() => heard.length === 2);
    expect(heard).toMatchObject([{ message: { id: "m1" } }, { message: { id: "m2" } }]);
  });
});

describe("CoLabMatch", () => {
  async function match() {
    const server = startServer({
      dialect: colabmatch({ matches: { m1: ["ada", "ben"], m2: ["ada", "cyd"] }, inactive: ["m2"] }),
    });
    const [ada, ben] = [clientOf("ada", reliable), clientOf("ben", reliable)];
    await server.settled();
    for (const client of [ada, ben]) client.send("join_match", { match_id: "m1" });
    await server.settled();
    return { server, ada, ben };
  }

  it("a message is announced to both with the server's id, and its copy to the sender alone", async () => {
    const { server, ada, ben } = await match();
    const [own, others] = [heardBy(ada, "new_message"), heardBy(ben, "new_message")];
    const data = { match_id: "m1", content: "hello", client_id: "c1" };
    const message = accepted(ada.send("send_message", data));
    await server.settled();
    expect(message.status).toBe("delivered");
    ada.send("send_message", data);
    await server.settled();
    const stored = { id: "1", matchId: "m1", senderId: "ada", content: "hello", clientId: "c1", readAt: null };
    expect(others).toMatchObject([stored]);
    expect(own).toMatchObject([stored, stored]);
    expect(server.history("m1").messages).toMatchObject([stored]);
  });

  it("typing stops by itself after two seconds, and with the message", async () => {
    const { server, ada, ben } = await match();
    const heard: string[] = [];
    for (const type of ["user_typing", "typing_stopped"]) ben.on(type, () => heard.push(type));
    ada.send("typing", { match_id: "m1", is_typing: true });
    await advance(1_500);
    ada.send("typing", { match_id: "m1", is_typing: true });
    await advance(1_999);
    expect(heard).toEqual(["user_typing", "user_typing"]);
    await advance(1);
    expect(heard).toEqual(["user_typing", "user_typing", "typing_stopped"]);
    ada.send("typing", { match_id: "m1", is_typing: true });
    ada.send("send_message", { match_id: "m1", content: "hello" });
    await server.settled();
    expect(heard.slice(3)).toEqual(["user_typing", "typing_stopped"]);
    await advance(5_000);
    expect(heard).toHaveLength(5);
  });

  it("receipts move forward only, and the sender's message is read", async () => {
    const { server, ada, ben } = await match();
    const heard = heardBy(ada, "message_read");
    const sent = ["a", "b", "c"].map((content) => accepted(ada.send("send_message", { match_id: "m1", content })));
    await server.settled();
    for (const message_id of ["2", "1", "2"]) ben.send("read_message", { match_id: "m1", message_id });
    await server.settled();
    expect(heard).toMatchObject([{ message_id: "2", match_id: "m1", up_to: true }]);
    expect(sent.map(({ status }) => status)).toEqual(["read", "read", "delivered"]);
    expect(await outcome(accepted(ada.send("read_message", { match_id: "m1", message_id: "1" })).done())).toBe(
      "refused",
    );
    expect(server.refused().at(-1)?.code).toBe("not_found");
  });

  it("presence counts devices and is told to the partner", async () => {
    const { server, ada, ben } = await match();
    const heard = heardBy(ada, "user_online_status");
    const phone = clientOf("ben");
    await server.settled();
    ben.disconnect();
    await server.settled();
    expect(heard).toEqual([]);
    phone.disconnect();
    await server.settled();
    expect(heard).toEqual([{ user_id: "ben", online: false }]);
  });

  it("strangers and inactive matches are refused", async () => {
    const { server, ada } = await match();
    const eve = clientOf("eve", reliable);
    await server.settled();
    const codes = async (client: NativeSocketClient, match_id: string) => {
      await outcome(accepted(client.send("join_match", { match_id })).done());
      return server.refused("join_match").at(-1)?.code;
    };
    expect([await codes(eve, "m1"), await codes(ada, "m3"), await codes(ada, "m2")]).toEqual([
      "not_allowed",
      "not_allowed",
      "not_active",
    ]);
  });

  it("a conversation is read page by page, from both ends", async () => {
    const { server } = await match();
    server.seedHistory(
      "m1",
      Array.from({ length: 5 }, (_, n) => ({ id: String(n + 1), content: `${n + 1}` })),
    );
    const ids = (query: object) => {
      const { messages, hasMore } = server.history("m1", { limit: 2, ...query });
      return [messages.map(({ id }) => id).join(), hasMore];
    };
    expect([ids({}), ids({ before: "4" }), ids({ before: "2" })]).toEqual([
      ["4,5", true],
      ["2,3", true],
      ["1", false],
    ]);
    expect([ids({ after: "1" }), ids({ after: "4" })]).toEqual([
      ["2,3", true],
      ["5", false],
    ]);
  });
});
