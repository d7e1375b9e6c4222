import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

/** A server without any library of Socket.IO: a test says each frame itself, and sees each frame that comes. */
export class WireServer {
  readonly origin: string;
  readonly connections: WireConnection[] = [];
  readonly #close: () => void;

  private constructor(origin: string, sockets: WebSocketServer, close: () => void) {
    this.origin = origin;
    this.#close = close;
    sockets.on("connection", (socket, request) => this.connections.push(new WireConnection(socket, request)));
  }

  static async start(): Promise<WireServer> {
    const http = createServer((_, response) => response.setHeader("content-type", "text/html").end(PAGE));
    const sockets = new WebSocketServer({ server: http });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const close = () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.close();
    };
    return new WireServer(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, sockets, close);
  }

  /** The connection of this number, from 1 on, once there is one. */
  async connection(number = this.connections.length + 1): Promise<WireConnection> {
    const find = () => this.connections[number - 1];
    await expect.poll(find).toBeDefined();
    return find() as WireConnection;
  }

  stop(): void {
    this.#close();
  }
}

/** The server's end of a connection. */
export class WireConnection {
  /** The path and the query of the request. */
  readonly url: string;
  /** What the client has sent. */
  readonly frames: (string | Buffer)[] = [];
  closedWith: number | undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.url = request.url ?? "";
    this.#socket = socket;
    socket.on("message", (data, isBinary) => this.frames.push(isBinary ? (data as Buffer) : String(data)));
    socket.on("close", (code) => {
      this.closedWith = code;
    });
    socket.on("error", () => {});
  }

  send(...frames: (string | Uint8Array)[]): this {
    for (const frame of frames) this.#socket.send(frame);
    return this;
  }

  /** Says the handshake; members can be changed, and left out with `undefined`. */
  shakeHands(members: object = {}): this {
    return this.send(`0${JSON.stringify({ ...HANDSHAKE, ...members })}`);
  }

  /** Lets the client into the namespace it has asked for. */
  async letIn(members: object = {}, sid = "s1", namespace = ""): Promise<this> {
    this.shakeHands(members);
    await this.has((frame) => typeof frame === "string" && frame.startsWith("40"));
    return this.send(`40${namespace}{"sid":"${sid}"}`);
  }

  /** Waits for a frame. */
  async has(wanted: string | ((frame: string | Buffer) => boolean)): Promise<void> {
    const isWanted = typeof wanted === "string" ? (frame: string | Buffer) => frame === wanted : wanted;
    await expect.poll(() => this.frames.some(isWanted), { message: `frames: ${this.frames.join(" ")}` }).toBe(true);
  }

  /** What the client has sent beside pongs, after it was let in. */
  get packets(): (string | Buffer)[] {
    const beside = this.frames.filter((frame) => frame !== "3");
    return beside.slice(beside.findIndex((frame) => typeof frame === "string" && frame.startsWith("40")) + 1);
  }

  close(code: number): void {
    this.#socket.close(code);
  }
}

const HANDSHAKE = { sid: "e1", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };
const PAGE = "<!doctype html><title>Welcome</title>";
