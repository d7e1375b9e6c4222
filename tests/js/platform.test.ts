import { EverwireError, NativeSocketClient } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, useStandIns } from "./harness/clients";
import { rootPath } from "./harness/paths";
import { runModule } from "./harness/run";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}

describe("the option WebSocket", () => {
  it("is the class that sockets are made of, whatever the place has", () => {
    const made: string[] = [];
    class OwnSocket extends StandInSocket {
      constructor(url: string) {
        super(url);
        made.push(url);
      }
    }
    vi.stubGlobal("WebSocket", undefined);
    const { client } = openClient({ WebSocket: OwnSocket });
    expect(made).toEqual(["ws://server.test/api/ws"]);
    expect(client.isConnected()).toBe(true);
  });

  it("whose send() throws is reported, and takes nothing", () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const cause = new TypeError("mask is not a function");
    class BrokenSocket extends StandInSocket {
      override send(): void {
        throw cause;
      }
    }
    const { client } = openClient({ WebSocket: BrokenSocket });
    reported.mockClear();
    expect(client.send("note").status).toBe("queued");
    expect(reported.mock.calls).toEqual([[cause]]);
  });

  it("is the place's own by default, as it is when a connection is opened", () => {
    vi.stubGlobal("WebSocket", undefined);
    const client = makeClient();
    vi.stubGlobal("WebSocket", StandInSocket);
    client.connect();
    expect(StandInSocket.made).toHaveLength(1);
  });
});

describe("what the place lacks is named:", () => {
  it("without WebSocket, connect() and reconnect() throw, and the snapshot says why", () => {
    vi.stubGlobal("WebSocket", undefined);
    const client = makeClient();
    for (const act of [() => client.connect(), () => client.reconnect()]) {
      const thrown = thrownBy(act);
      expect(thrown).toBeInstanceOf(EverwireError);
      expect(thrown).toMatchObject({ code: "missing_platform", message: expect.stringContaining('import("ws")') });
      expect(client.getSnapshot()).toMatchObject({ phase: "idle", error: thrown });
    }
  });

  it("without crypto, the constructor throws", () => {
    vi.stubGlobal("crypto", undefined);
    expect(thrownBy(() => new NativeSocketClient())).toMatchObject({
      code: "missing_platform",
      message: expect.stringContaining("webcrypto"),
    });
  });
});

it.each(["", "ASCII", "naïve", "ελληνικά", "中文字", "🙂🙃", "\ud83d alone"])(
  "the size of %j is measured without TextEncoder",
  (text) => {
    vi.stubGlobal("TextEncoder", undefined);
    const { client, socket } = openClient();
    client.send("note", { text });
    const bytes = Buffer.byteLength(socket.texts[0] ?? "");
    const limits = [bytes - 1, bytes].map((maxMessageBytes) => makeClient({ maxMessageBytes }).send("note", { text }));
    expect(limits).toMatchObject([{ status: "refused", code: "too_large" }, { status: "queued" }]);
    expect(limits[0]).toMatchObject({ reason: expect.stringContaining(`${bytes} bytes of ${bytes - 1}`) });
  },
);

it("events go both ways over a connection of Node's ws, and binary frames are none", async () => {
  const outcome = await runModule(
    `
      import { once } from "node:events";
      import { NativeSocketClient } from "everwire";
      import { WebSocket, WebSocketServer } from "ws";
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
      server.on("connection", (socket) => socket.on("message", (text) => {
        const { type, data } = JSON.parse(text);
        socket.send(Buffer.from(JSON.stringify({ type: "echo", data })));
        socket.send(JSON.stringify({ type: "echo", data: { ...data, type } }));
      }));
      await once(server, "listening");
      const client = new NativeSocketClient({ url: "http://127.0.0.1:" + server.address().port, WebSocket });
      const heard = [];
      client.on("error", ({ code, frame }) => heard.push({ code, frame }));
      client.send("note", { text: "ä🙂" });
      client.connect();
      heard.push(await new Promise((resolve) => client.once("echo", resolve)));
      process.stdout.write(JSON.stringify(heard));
      client.dispose();
      server.close();
    `,
    rootPath("tests/js"),
  );
  const heard = [
    { code: "bad_frame", frame: null },
    { text: "ä🙂", type: "note" },
  ];
  expect(outcome).toEqual({ status: 0, output: JSON.stringify(heard) });
});

describe("with Node's ws, the process goes on", () => {
  const outcomeOf = (act: string) =>
    runModule(
      `
        import { createServer } from "node:http";
        import { once } from "node:events";
        import { NativeSocketClient } from "everwire";
        import { WebSocket } from "ws";
        const server = createServer();
        server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 401 Unauthorized\\r\\n\\r\\n"));
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const client = new NativeSocketClient({ url: "http://127.0.0.1:" + server.address().port, WebSocket });
        const ended = (phase) => new Promise((resolve) => client.on("state", (state) => state.phase === phase && resolve(state)));
        client.connect();
        const { close, phase } = await (${act});
        await new Promise(setImmediate);
        process.stdout.write(close.code + " " + phase);
        client.dispose();
        server.close();
      `,
      rootPath("tests/js"),
    );

  it("when the server refuses the connection", async () => {
    expect(await outcomeOf(`ended("waiting")`)).toEqual({ status: 0, output: "1006 waiting" });
  });

  it("when the client stops connecting", async () => {
    const act = `(client.disconnect(), client.getSnapshot().phase === "idle" ? client.getSnapshot() : ended("idle"))`;
    expect(await outcomeOf(act)).toMatchObject({ status: 0, output: expect.stringMatching(/^\d+ idle$/) });
  });

  it("when another attempt replaces one that is under way", async () => {
    expect(await outcomeOf(`(client.reconnect(), ended("waiting"))`)).toEqual({ status: 0, output: "1006 waiting" });
  });
});
