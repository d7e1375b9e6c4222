import { type Logger, NativeSocketClient, type Options } from "everwire";
import { init } from "everwire/slim";
import { WebSocket as NodeSocket } from "ws";

const all: Options = {
  url: "http://localhost:8001",
  path: "/api/ws",
  token: "token",
  sessions: [
    { join: "join_room", leave: "leave_room", key: "room_id" },
    { join: "watch", key: "id" },
  ] as const,
  tokenIn: "first-message",
  tokenParam: "jwt",
  authEvent: "login",
  protocols: ["chat.v2", "chat.v1"] as const,
  reconnect: { initialDelayMs: 1_000, maxDelayMs: 5_000, factor: 2, jitter: 0.5, maxAttempts: Infinity },
  heartbeat: { intervalMs: 30_000, timeoutMs: 10_000, ping: "are_you_there", pong: "here" },
  connectTimeoutMs: 10_000,
  queue: { maxMessages: 100, maxBytes: 10_000, ttlMs: 60_000, overflow: "drop-oldest" },
  maxMessageBytes: 10_240,
  logger: console,
};
new NativeSocketClient(all);
new NativeSocketClient({ token: () => null });
new NativeSocketClient({ token: async () => "token" });
new NativeSocketClient({ token: ({ refused }) => (refused ? "fresh" : "cached") });
new NativeSocketClient({ url: undefined, token: undefined, queue: undefined });

const quiet: Logger = {};
new NativeSocketClient({ logger: quiet });
new NativeSocketClient({ WebSocket: NodeSocket });
new NativeSocketClient({ WebSocket });

// @ts-expect-error a class, not a socket
new NativeSocketClient({ WebSocket: new WebSocket("ws://server.test") });
// @ts-expect-error a class of sockets
new NativeSocketClient({ WebSocket: Map });
new NativeSocketClient({ sessions: { join: "join_room", key: "room_id" } });
// @ts-expect-error what names the session is missing
new NativeSocketClient({ sessions: { join: "join_room" } });
// @ts-expect-error there is no such place for a token
new NativeSocketClient({ tokenIn: "header" });
// @ts-expect-error a token is a string
new NativeSocketClient({ token: 5 });
// @ts-expect-error a token function returns a string or null
new NativeSocketClient({ token: () => 5 });
// @ts-expect-error there is no such policy
new NativeSocketClient({ queue: { overflow: "drop" } });
// @ts-expect-error there is no such option
new NativeSocketClient({ retries: 5 });
// @ts-expect-error there is no such option
new NativeSocketClient({ reconnect: { attempts: 5 } });

export const loaded: Promise<void>[] = [
  init(),
  init("/everwire.wasm"),
  init(new URL("https://server.test/everwire.wasm")),
  init(fetch("/everwire.wasm")),
  init(new Uint8Array()),
];
