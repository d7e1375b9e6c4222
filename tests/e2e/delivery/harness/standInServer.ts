import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** A frame as a client sends it. */
export interface Frame {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly seq?: number;
}

/** One connection, as a stand-in for a server sees it. */
export class Peer {
  /** Counts the connections, from 0. */
  readonly number: number;
  readonly #socket: WebSocket;

  constructor(number: number, socket: WebSocket) {
    this.number = number;
    this.#socket = socket;
  }

  says(type: string, data: object = {}, more: object = {}): void {
    this.#socket.send(JSON.stringify({ type, data, ...more }));
  }

  ends(): void {
    this.#socket.terminate();
  }

  closes(code: number): void {
    this.#socket.close(code);
  }
}

/** A server that does what a test says, which may be wrong. */
export class StandInServer {
  readonly origin: string;
  /** What has arrived, over all connections. */
  readonly frames: Frame[];
  connections = 0;
  readonly #sockets: WebSocketServer;

  private constructor(origin: string, frames: Frame[], sockets: WebSocketServer) {
    this.origin = origin;
    this.frames = frames;
    this.#sockets = sockets;
  }

  static async start(answer: (frame: Frame, peer: Peer) => void): Promise<StandInServer> {
    const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await new Promise((resolve) => sockets.once("listening", resolve));
    const { port } = sockets.address() as AddressInfo;
    const server = new StandInServer(`http://127.0.0.1:${port}`, [], sockets);
    sockets.on("connection", (socket) => {
      const peer = new Peer(server.connections++, socket);
      socket.on("error", () => {});
      socket.on("message", (text) => {
        const frame = JSON.parse(String(text)) as Frame;
        server.frames.push(frame);
        answer(frame, peer);
      });
    });
    return server;
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }
}
