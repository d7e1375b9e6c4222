import { EventEmitter, once } from "node:events";
import type { Socket } from "socket.io";
import { vi } from "vitest";
import { type Database, type Everwire, everwire, type Handler, type Sql } from "../../../servers/socketio/src/index";

/** Remembers nothing but the last number, and what was said to it. */
export class Memory implements Database {
  last = 0;
  readonly statements: string[] = [];
  readonly failing = new Set<string>();
  readonly #sql: Sql = async (statement, ...values) => {
    this.statements.push(statement);
    await new Promise(setImmediate);
    if ([...this.failing].some((part) => statement.includes(part))) throw new Error("secret words");
    if (statement.startsWith("UPDATE everwire_clients")) {
      this.last = Number(values[0]);
      return [{ last: this.last }];
    }
    if (statement.startsWith("SELECT position")) return [];
    return [{ last: this.last, newest: 0, oldest: null, epoch: 1 }];
  };
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return work(this.#sql);
  }
}

interface Said {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** A socket, and what the server says to it. */
export function visit(wire: Everwire) {
  const said: Said[] = [];
  const closes: unknown[] = [];
  const server = { opts: { maxHttpBufferSize: 1e6 } };
  const conn = Object.assign(new EventEmitter(), { server, writeBuffer: [], close: vi.fn() });
  const heard = new EventEmitter();
  const news = new EventEmitter();
  const emit = (event: string, what: unknown) => {
    if (event === "everwire_close") closes.push(what);
    else said.push(what as Said);
    news.emit("said");
  };
  const socket = { conn, nsp: { name: "/" }, connected: true, emit, on: heard.on.bind(heard) };
  wire(socket as unknown as Socket, () => {});
  const until = async (type: string) => {
    for (let n = 0; n < 100; n++) {
      const found = said.find((frame) => frame.type === type);
      if (found) return found.data;
      await once(news, "said");
    }
    throw new Error(`no ${type}`);
  };
  const say = (frame: object) => void heard.emit("everwire", frame);
  return { say, until, said, closes, socket, wire, close: () => wire.close() };
}

export const HELLO = { type: "hello", data: { versions: [1], client_id: "k3Zq8vXw2LmN4pRt" } };

/** A socket that has said hello. */
export async function connected(
  database: Database,
  handlers: Record<string, Handler>,
  limits: { handlerTimeoutMs?: number } = {},
) {
  const ada = visit(everwire({ database, user: () => "ada", handlers, ...limits }));
  ada.say(HELLO);
  await ada.until("welcome");
  return ada;
}
