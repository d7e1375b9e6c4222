import { EverwireError } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { packagePath } from "./harness/paths";
import { accepted, outcome, refusalOf, reliableClient, statusesOf, welcome, welcomedClient } from "./harness/reliable";
import { runModule } from "./harness/run";
import { StandInOutbox } from "./harness/standInOutbox";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

/** Listeners of the page that nobody has taken away. */
function countListeners(): { readonly left: number } {
  const listeners = new Set<string>();
  vi.stubGlobal("addEventListener", (event: string) => listeners.add(event));
  vi.stubGlobal("removeEventListener", (event: string) => listeners.delete(event));
  return {
    get left() {
      return listeners.size;
    },
  };
}

describe("dispose()", () => {
  it("ends an open connection at once, and says so", () => {
    const { client, socket } = openClient();
    const closes = recorder();
    client.on("close", closes.handler);
    client.dispose();
    expect(socket.closedWith).toBe(1000);
    expect(closes.heard).toMatchObject([{ code: 1000 }]);
    expect(client.getSnapshot()).toMatchObject({ state: "closed", phase: "idle" });
    expect([socket.onopen, socket.onmessage, socket.onclose]).toEqual([null, null, null]);
  });

  it.each<[string, () => ReturnType<typeof openClient>["client"]]>([
    ["was never connected", () => makeClient()],
    [
      "waits for its token",
      () => {
        const client = makeClient({ token: () => new Promise<string>(() => {}) });
        client.connect();
        return client;
      },
    ],
    [
      "connects",
      () => {
        const client = makeClient();
        client.connect();
        return client;
      },
    ],
    ["is open", () => openClient().client],
    ["is reliable and has messages under way", () => welcomedClient().client],
    [
      "is closing",
      () => {
        const { client } = openClient();
        client.disconnect();
        return client;
      },
    ],
    [
      "waits to try again",
      () => {
        const { client, socket } = openClient();
        socket.ends();
        return client;
      },
    ],
  ])("leaves no timer, listener or socket of a client that %s", async (_what, make) => {
    const page = countListeners();
    const client = make();
    client.send("note", {}, { ttlMs: 60_000 });
    client.dispose();
    await vi.advanceTimersByTimeAsync(0);
    expect([vi.getTimerCount(), page.left, StandInSocket.live]).toEqual([0, 0, []]);
    const sockets = StandInSocket.made.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(StandInSocket.made).toHaveLength(sockets);
  });

  it("fails what waits, and keeps it on disk for other pages", async () => {
    const outbox = new StandInOutbox();
    const client = reliableClient({ outbox });
    client.connect();
    await outbox.opened();
    await vi.advanceTimersByTimeAsync(0);
    welcome(StandInSocket.newest);
    const durable = accepted(client.send("note", {}, { durable: true }));
    await vi.advanceTimersByTimeAsync(0);
    await outbox.written();
    const queued = accepted(client.send("queued", {}, { durable: true }));
    const statuses = statusesOf(queued);
    const request = outcome(client.request("echo"));
    await vi.advanceTimersByTimeAsync(0);
    client.dispose();
    expect([durable.status, statuses]).toEqual(["failed", ["queued", "failed"]]);
    expect([await outcome(durable.done()), await outcome(queued.done())]).toEqual(["disposed", "disposed"]);
    expect(["abandoned", "disposed"]).toContain(await request);
    expect(outbox.calls.filter((call) => /remove|wipe/.test(call))).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.calls.at(-1)).toBe("close");
  });

  it("may come twice, in a handler, and while a token is asked for", async () => {
    const { client, socket } = openClient();
    client.on("note", () => client.dispose());
    client.on("close", () => client.dispose());
    socket.says("note", {});
    client.dispose();
    const asking = makeClient({
      token: () => {
        asking.dispose();
        return "token";
      },
    });
    asking.connect();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(StandInSocket.made).toEqual([socket]);
    expect([client, asking].map((one) => one.getState())).toEqual(["closed", "closed"]);
  });

  it("is what `using` calls", () => {
    const { client, socket } = openClient();
    client[Symbol.dispose]();
    expect(socket.closedWith).toBe(1000);
    expect(refusalOf(client.send("note")).code).toBe("disposed");
  });

  it("what is asked of the client afterwards fails as `disposed`, and what ends something is in vain", async () => {
    const outbox = new StandInOutbox();
    const client = reliableClient({ outbox });
    const message = accepted(client.send("note"));
    client.dispose();
    const error = refusalOf(client.send("note", {}, { durable: true }));
    expect(error).toBeInstanceOf(EverwireError);
    expect(error.code).toBe("disposed");
    expect(await outcome(client.request("echo"))).toBe("disposed");
    for (const connect of [() => client.connect(), () => client.reconnect()]) {
      expect(connect).toThrow(expect.objectContaining({ code: "disposed" }));
    }
    client.disconnect();
    client.off("note");
    client.on("note", () => {})();
    client.subscribe(() => {})();
    expect([message.cancel(), client.isConnected()]).toEqual([false, false]);
    await client.whenRoom();
    await client.logout();
    expect(outbox.calls).toEqual(["close", "wipe"]);
    expect([StandInSocket.made, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("ends the wait for room", async () => {
    const client = makeClient({ queue: { maxMessages: 1 } });
    client.send("a");
    const room = vi.fn();
    void client.whenRoom().then(room);
    await vi.advanceTimersByTimeAsync(0);
    expect(room).not.toHaveBeenCalled();
    client.dispose();
    await vi.advanceTimersByTimeAsync(0);
    expect(room).toHaveBeenCalledTimes(1);
  });
});

/** Makes a thousand clients in a Node of its own, collects garbage, and prints what is left of them. */
async function collected(what: string): Promise<{ clients: number; wasm: boolean; locks: number }> {
  const source = `
    let memory;
    WebAssembly.Instance = class extends WebAssembly.Instance {
      constructor(...all) { super(...all); memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory); }
    };
    const locks = new Set();
    Object.defineProperty(globalThis, "navigator", { value: { locks: { request: async (name, options, hold) => {
      locks.add(name);
      await hold({ name });
      locks.delete(name);
    } } } });
    globalThis.WebSocket = class { readyState = 0; close() {} send() {} };
    await import("fake-indexeddb/auto");
    const { NativeSocketClient } = await import("everwire");
    const { durableOutbox } = await import("everwire/durable");
    const { chat } = await import("everwire/session");
    let freed = 0;
    const registry = new FinalizationRegistry(() => freed++);
    const clients = [];
    for (let count = 0; count < 1000; count++) {
      const outbox = count % 2 ? durableOutbox({ name: "default" }) : undefined;
      const client = new NativeSocketClient({ url: "http://server.test", delivery: "reliable", outbox, chat: chat({ durable: outbox }) });
      registry.register(client, count);
      client.on("note", () => client.getSnapshot());
      client.subscribe(() => client.getState());
      client.send("note", { text: "x".repeat(100) });
      ${what}
    }
    clients.length = 0;
    for (let turn = 0; turn < 100; turn++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const size = memory.buffer.byteLength;
    for (let count = 0; count < 5_000; count++) new NativeSocketClient({ url: "http://server.test" }).dispose();
    await new Promise((resolve) => setTimeout(resolve, 10));
    for (let count = 0; count < 5_000; count++) {
      new NativeSocketClient({ url: "http://server.test" }).dispose();
      if (count % 100 === 0) await null;
    }
    console.log(JSON.stringify({ clients: freed, wasm: memory.buffer.byteLength - size < 4 << 20, locks: locks.size }));
    process.exit(0);`;
  const { status, output } = await runModule(source, packagePath(".."), ["--expose-gc"]);
  expect([status, output]).toEqual([0, expect.stringMatching(/^{.*}\n$/)]);
  return JSON.parse(output);
}

describe("garbage collection takes, of a thousand clients,", () => {
  it.each([
    ["never connected", ""],
    ["disposed of", "client.connect(); clients.push(client); client.dispose();"],
    ["connected and disconnected", "client.connect(); client.disconnect();"],
  ])("all that were %s", async (_what, code) => {
    const { clients, wasm, locks } = await collected(code);
    expect(clients).toBeGreaterThanOrEqual(995);
    expect(wasm).toBe(true);
    // Of an outbox that nobody has closed, its own finalisation does.
    expect(locks).toBeLessThanOrEqual(5);
  });
});
