/** A server of npm `socket.io` for the scenarios, as a process of its own that can be killed. */

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server, type Socket } from "socket.io";
import { Ledger } from "./ledger";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    ledger: { type: "string", default: "" },
    "ping-interval-ms": { type: "string", default: "25000" },
    "ping-timeout-ms": { type: "string", default: "20000" },
    recovery: { type: "boolean", default: false },
    /** The address of a Redis, through which the server is one of a cluster. */
    redis: { type: "string", default: "" },
  },
});

/** What clients name their events by that they may send again. */
const repetitions = new Set<string>();
const ledger = new Ledger(flags.ledger);
const http = createServer();
const io = new Server(http, {
  cors: { origin: "*" },
  pingInterval: Number(flags["ping-interval-ms"]),
  pingTimeout: Number(flags["ping-timeout-ms"]),
  ...(flags.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares: false } }),
});

if (flags.redis !== "") {
  const redis = createClient({ url: flags.redis });
  await redis.connect();
  io.adapter(createAdapter(redis));
}

for (const namespace of [io.of("/"), io.of("/admin"), io.of("/closed")]) {
  namespace.use((socket, next) => {
    const { user, token } = socket.handshake.auth;
    const refuse = (message: string, data: object) => next(Object.assign(new Error(message), { data }));
    if (namespace.name === "/closed") refuse("closed", { code: "closed" });
    else if (token === "wrong") refuse("Invalid authentication token", { code: "unauthorized" });
    else if (typeof user !== "string") refuse("Missing authentication token", { code: "unauthorized" });
    else next();
  });
  namespace.on("connection", welcome);
}

function welcome(socket: Socket): void {
  const user = String(socket.handshake.auth["user"]);
  const add = (event: string, n: number) => ledger.add({ user, event, n });
  // A session that is recovered is in its rooms already.
  socket.join(user);
  add(`connect ${socket.nsp.name}`, Number(socket.handshake.auth["attempt"] ?? 0));
  socket.on("join", (n: number) => add("join", n));
  socket.on("note", (n: number, ...more: readonly (string | Answer)[]) => {
    const [repetition] = more.filter((part) => typeof part === "string");
    if (repetition === undefined || !repetitions.has(repetition)) add("note", n);
    if (repetition !== undefined) repetitions.add(repetition);
    const answer = more.at(-1);
    if (typeof answer === "function") answer(n);
  });
  socket.on("late", (n: number, ms: number, answer: (n: number) => void) => {
    add("late", n);
    setTimeout(() => answer(n), ms);
  });
  socket.on("binary", (n: number, whole: Buffer, parts: { readonly inside: readonly Buffer[] }, answer?: Answer) => {
    add("binary", n);
    socket.emit("binary", n, whole, parts);
    answer?.(n, whole, parts);
  });
}

type Answer = (...args: unknown[]) => void;

interface Question {
  readonly user: string;
  readonly namespace?: string;
  readonly first?: number;
  readonly last?: number;
  readonly bytes?: number;
  readonly close?: boolean;
}

const CONTROLS: Record<string, (question: Question) => unknown> = {
  received: ({ user }) => ledger.of(user),
  /** Numbered events to everyone who is this user. */
  push: ({ user, namespace = "/", first = 1, last = first, bytes = 0 }) => {
    const padding = "x".repeat(bytes);
    for (let n = first; n <= last; n++) io.of(namespace).to(user).emit("number", n, padding);
    return {};
  },
  /** Ends the user's membership of the namespace, or their connections. */
  kick: ({ user, namespace = "/", close = false }) => {
    io.of(namespace).in(user).disconnectSockets(close);
    return {};
  },
  /** Ends the user's connections as a server does that says nothing. */
  cut: async ({ user, namespace = "/" }) => {
    const sockets = [...io.of(namespace).sockets.values()].filter(({ rooms }) => rooms.has(user));
    for (const socket of sockets) socket.conn.close();
    return { cut: sockets.length };
  },
  /** Asks the user, and says what they have answered. */
  ask: async ({ user, namespace = "/", first = 1 }) => ({
    answers: await io.of(namespace).to(user).timeout(5_000).emitWithAck("question", first),
  }),
  connections: ({ user, namespace = "/" }) => ({ open: io.of(namespace).adapter.rooms.get(user)?.size ?? 0 }),
};

http.on("request", async (request, response) => {
  const control = CONTROLS[/^\/control\/(\w+)$/.exec(request.url ?? "")?.[1] ?? ""];
  if (!control) return;
  try {
    const answer = await control(JSON.parse(await bodyOf(request)) as Question);
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

http.listen(Number(flags.port), "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo;
  console.log(`ready http://127.0.0.1:${port}`);
});
