import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { NativeSocketClient } from "everwire";
import { overSocketIo } from "everwire/socket.io";
import Sqlite from "libsql";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Everwire, everwire, sqlite } from "../../../servers/socketio/src/index";

describe.each(["/", "/rooms"])("over the namespace %s of a server that takes packets of 5 000 bytes", (namespace) => {
  let server: Server;
  let wire: Everwire;
  let url: string;
  /** How long the texts are that have arrived. */
  let lengths: number[];

  beforeEach(async () => {
    lengths = [];
    const http = createServer();
    server = new Server(http, { maxHttpBufferSize: 5_000 });
    wire = everwire({
      database: sqlite(new Sqlite(":memory:")),
      user: () => "ada",
      handlers: { note: (_, { text }) => void lengths.push(String(text).length) },
    });
    server.of(namespace).use(wire);
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    wire.close();
    await server.close();
  });

  it("the welcome names the largest message whose packet arrives", async () => {
    const socket = io(url + namespace, { transports: ["websocket"], reconnection: false });
    const said: { type: string; data: { max_bytes: number } }[] = [];
    socket.on("everwire", (frame) => said.push(frame));
    socket.emit("everwire", { type: "hello", data: { versions: [1], client_id: "k3Zq8vXw2LmN4pRt" } });
    await expect.poll(() => said[0]?.type).toBe("welcome");
    const most = Number(said[0]?.data.max_bytes) - JSON.stringify({ type: "note", data: { text: "" } }).length;
    const note = (length: number) => {
      const data = { text: "x".repeat(length) };
      socket.emit("everwire", { type: "note", data, seq: Number.MAX_SAFE_INTEGER, prev: LONGEST });
    };
    await wire.transaction((sql) => sql("UPDATE everwire_clients SET last = ?", LONGEST));
    note(most);
    await expect.poll(() => lengths).toEqual([most]);
    note(most + 1);
    await expect.poll(() => socket.connected).toBe(false);
    socket.disconnect();
  });

  it("what waits and is larger is dropped, and nothing else", async () => {
    const WebSocket = overSocketIo({ namespace, reliable: true });
    const client = new NativeSocketClient({ url, delivery: "reliable", WebSocket });
    const told: string[] = [];
    client.on("close", () => told.push("close"));
    client.on("drop", ({ reason }) => told.push(reason));
    const note = (length: number) => client.send("note", { text: "x".repeat(length) });
    for (const length of [1, 5_000, 4_800, 2]) note(length);
    client.connect();
    await expect.poll(() => lengths).toEqual([1, 4_800, 2]);
    expect(note(5_000)).toMatchObject({ status: "refused", code: "too_large" });
    expect([told, client.getSnapshot().delivery]).toEqual([["too_large"], "reliable"]);
    client.dispose();
  });
});

/** As many digits as a number has at most. */
const LONGEST = Number.MAX_SAFE_INTEGER - 1;
