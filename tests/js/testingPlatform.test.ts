import { seedCrypto, TestServer, virtualClock } from "everwire/testing";
import { describe, expect, it, vi } from "vitest";
import { clientOf, endAfterwards, reliable, startServer, useTestServers } from "./harness/testServers";

useTestServers();

describe("the clock and the platform", () => {
  it("a virtual clock of its own drives client and server, backoff and heartbeat, where the runner has none", async () => {
    vi.useRealTimers();
    const server = startServer();
    const clock = virtualClock({ server });
    endAfterwards(() => clock.uninstall());
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

  it("a second fake clock is refused, with what to do", () => {
    expect(() => virtualClock()).toThrow(TypeError);
    expect(() => virtualClock()).toThrow("fake timers are installed already: call vi.useRealTimers()");
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
