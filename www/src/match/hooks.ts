import type { CoLabMatchClientEvents, CoLabMatchServerEvents, Options } from "everwire";
import { durableOutbox } from "everwire/durable";
import { createWebSocketHooks } from "everwire/react";
import { chat, type EarlierRequest } from "everwire/session";
import { overSocketIo } from "everwire/socket.io";
import { delivery, sessionId, wire } from "../address";
import { baseOptions } from "../baseOptions";
import { authorization, connectionToken, makeMatch } from "../devServer";
import { get } from "../http";
import { SlowSocket } from "../slowSocket";

/** The hooks of this view, which know its events. */
export const { WebSocketProvider, useConnection, useEvent, useEventState, useMatch } = createWebSocketHooks<
  CoLabMatchServerEvents,
  CoLabMatchClientEvents
>();

/** With the server's own pings, the client needs none. */
const overSocketIoOptions: Options = {
  WebSocket: overSocketIo({ WebSocket: SlowSocket }),
  heartbeat: { intervalMs: Number.POSITIVE_INFINITY },
};

/** Of a person in the match: what they write waits on disk until the server has it. */
export function personOptions(userId: string): Options {
  const outbox = delivery === "reliable" && durableOutbox({ name: `everwire-demo ${userId}` });
  return {
    ...baseOptions,
    ...(wire === "socket.io" && overSocketIoOptions),
    token: async () => {
      // A server that was started anew knows nobody.
      await makeMatch();
      return connectionToken(userId);
    },
    ...(outbox && { outbox }),
    chat: chat({ userId, durable: outbox, pageSize: 25, loadEarlier: (request) => fetchPage(userId, request) }),
  };
}

/** One page of the match, oldest first: the last messages before an id, or the last of all. */
async function fetchPage(userId: string, { before, limit }: EarlierRequest) {
  const query = new URLSearchParams({ limit: String(limit), ...(before !== null && { before }) });
  const path = `/api/matches/${encodeURIComponent(sessionId)}/messages?${query}`;
  const { messages } = (await get(path, await authorization(userId))) as { readonly messages: readonly unknown[] };
  return { messages, hasMore: messages.length === limit };
}
