import type { ChatMessage, ChatStatus, CloseInfo, Envelope, NativeSocketClient, Snapshot } from "everwire";
import {
  createWebSocketHooks,
  type UseSocket,
  useConnection,
  useEvent,
  useEventState,
  useMatch,
  useSend,
  useSession,
  useWebSocket,
} from "everwire/react";
import * as slim from "everwire/react/slim";
import { exactly } from "./assert";

interface FromServer {
  score: { points: number };
  left: Record<string, never>;
}
interface ToServer {
  move: { x: number; y: number };
  resign: Record<string, never>;
}

const hooks = createWebSocketHooks<FromServer, ToServer>();

export function useTyped(): void {
  hooks.useEvent("score", ({ points }, message) => {
    exactly<number>()(points);
    exactly<Envelope<"score", FromServer["score"]>>()(message);
  });
  hooks.useEvent("close", (close, message) => {
    exactly<CloseInfo>()(close);
    exactly<undefined>()(message);
  });
  // @ts-expect-error the server sends no such event
  hooks.useEvent("scor", () => {});
  // @ts-expect-error the client sends this and does not hear it
  hooks.useEvent("move", () => {});
  // @ts-expect-error `points` is a number
  hooks.useEvent("score", (data: { points: string }) => data.points);

  exactly<number>()(hooks.useEventState("score", (sum, { points }) => sum + points, 0));
  exactly<number[]>()(
    hooks.useEventState(
      "score",
      (all, { points }) => [...all, points],
      () => [] as number[],
    ),
  );
  // @ts-expect-error the state is a number
  hooks.useEventState("score", () => "none", 0);
  // @ts-expect-error the server sends no such event
  hooks.useEventState("scor", (sum) => sum, 0);
  exactly<number>()(
    hooks.useEventState(
      "gap",
      (missing, { stream }, message) => {
        exactly<string>()(stream);
        exactly<undefined>()(message);
        return missing + 1;
      },
      0,
    ),
  );
  exactly<number>()(useEventState("give_up", (_: number, { attempts }) => attempts, 0));
  // @ts-expect-error `attempts` is a number
  hooks.useEventState("give_up", (_: string, { attempts }) => attempts, "");

  const send = hooks.useSend();
  send("move", { x: 1, y: 2 });
  send("resign");
  // @ts-expect-error `y` is missing
  send("move", { x: 1 });
  // @ts-expect-error the server sends this
  send("score", { points: 1 });

  const { emit, client } = hooks.useWebSocket();
  emit("resign");
  exactly<NativeSocketClient<FromServer, ToServer>>()(client);
  exactly<Snapshot["phase"]>()(hooks.useConnection(({ phase }) => phase));
  exactly<{ queued: number }>()(
    hooks.useConnection(
      ({ queued }) => ({ queued }),
      (a, b) => a.queued === b.queued,
    ),
  );
}

export function useConversations(): void {
  const { messages, members, typing, unread, send, retry, loadEarlier } = hooks.useSession("s1");
  exactly<readonly ChatMessage[]>()(messages);
  exactly<readonly string[]>()(typing);
  exactly<number>()(unread);
  exactly<boolean | undefined>()(members[0]?.online);
  const id: string = send("Hello", { mood: "curious" });
  retry(id);
  exactly<Promise<void>>()(loadEarlier());
  useMatch(undefined).setTyping(true);
  useSession(null).markAsRead();
  // @ts-expect-error an id is a text
  useSession(5);

  const socket: UseSocket = hooks.useSocket(null);
  for (const { id, matchId, senderId, content, createdAt, readAt, status } of socket.messages) {
    exactly<string>()(id + matchId + senderId + content + createdAt);
    exactly<string | null>()(readAt);
    exactly<ChatStatus | null>()(status);
  }
  exactly<string | null>()(socket.error);
  exactly<boolean>()(socket.connected || socket.online || socket.typing);
  socket.sendTyping(true);
  socket.markAsRead(socket.sendMessage("Hello"));
  socket.socket?.on("connected", () => {});
  // @ts-expect-error which message is needed
  socket.markAsRead();
}

/** Without types, a handler names the payload that it expects. */
export function useUntyped(): void {
  useEvent("score", (data) => exactly<unknown>()(data));
  useEvent("score", ({ points }: FromServer["score"]) => exactly<number>()(points));
  exactly<number>()(useEventState("score", (sum: number, { points }: FromServer["score"]) => sum + points, 0));
  exactly<boolean>()(useConnection(({ hasRoom }) => hasRoom));
  useSend()("anything", { at: "all" });
  exactly<NativeSocketClient<FromServer, ToServer>>()(useWebSocket<FromServer, ToServer>().client);
}

/** One name for both directions, and the same hooks on the slim entry. */
const one = slim.createWebSocketHooks<FromServer>();
export function useSlim(client: NativeSocketClient): unknown {
  one.useSend()("score", { points: 1 });
  // @ts-expect-error a provider of the slim entry makes no client
  one.WebSocketProvider({ options: {} });
  return [one.WebSocketProvider({ client }), hooks.WebSocketProvider({ options: { url: "" } })];
}
