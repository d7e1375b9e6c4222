import type { MessageContext } from "./context.js";
import { type Data, isObject, utf8Length } from "./envelope.js";
import type { TestServer } from "./server.js";

/** Teaches a server what to do with the messages of a family of apps, by its public methods. */
export type Dialect = (server: TestServer) => void;

/** The dialects that have a name. */
export type DialectName = "masterx" | "colabmatch";

/** What the matches of a server are. */
export interface ColabMatchOptions {
  /**
   * Who belongs to each match. Default: any two users who join it first. With it, others are refused as `not_allowed`, and both users of a match are told of each other's presence before
   * they have joined.
   */
  readonly matches?: Readonly<Record<string, readonly [string, string]>> | undefined;
  /** The matches that are not active. Joining them and writing to them is refused as `not_active`. Default: none. */
  readonly inactive?: readonly string[] | undefined;
}

/**
 * MasterX: sessions with members, messages to the others and to the sender's other devices, typing, `echo`. What is written is in `server.history(sessionId)`.
 */
export function masterx(): Dialect {
  return (server) => {
    const sessions = new Set<string>();
    server.on("join_session", (data, context) => {
      const session = text(data, "session_id", context);
      sessions.add(session);
      context.join(session);
    });
    server.on("leave_session", (data, context) => context.leave(text(data, "session_id", context)));
    server.on("user_typing", (data, context) => {
      const session = memberOf(data, "session_id", context, "session");
      const { isTyping } = data;
      if (typeof isTyping !== "boolean") context.refuse("malformed", "`isTyping` must be a boolean");
      context.publish(session, "typing_indicator", { user_id: context.user, session_id: session, isTyping });
    });
    server.on("message_sent", (data, context) => {
      const { message } = data;
      if (!isObject(message)) return context.refuse("malformed", "`message` must be an object");
      const [id, content] = [text(message, "id", context, true), text(message, "content", context, true)];
      const session = memberOf(data, "session_id", context, "session");
      const timestamp = new Date().toISOString();
      const received = { id, content, role: "user", timestamp, user_id: context.user, session_id: session };
      server.remember(session, received);
      context.publish(session, "message_received", { message: received });
    });
    server.on("echo", echo);
    server.onRoomChange((session) => {
      const members = server.members(session);
      if (!sessions.has(session) || members.length === 0 || members.length > MAX_ANNOUNCED) return;
      const told = members.map((user) => ({ user_id: user, online: server.isOnline(user) }));
      server.publish(session, "session_members", { session_id: session, members: told });
    });
  };
}

/**
 * CoLabMatch: matches of two, messages with ids of the server that everyone in the match gets, typing that stops by itself after 2 s, receipts that move forward only, presence. What is written is
 * in `server.history(matchId)`.
 */
export function colabmatch({ matches, inactive = [] }: ColabMatchOptions = {}): Dialect {
  return (server) => {
    const pairs = new Map<string, string[]>(Object.entries(matches ?? {}).map(([id, users]) => [id, [...users]]));
    const typists = new Map<string, { readonly stop: () => void; readonly timer: ReturnType<typeof setTimeout> }>();
    const sent = new Map<string, Data>();
    let newestId = 0;

    const partnersOf = (user: string) =>
      new Set(
        [...pairs.values()]
          .filter((users) => users.includes(user))
          .flatMap((users) => users.filter((one) => one !== user)),
      );
    const matchOf = (data: Data, context: MessageContext) => {
      const match = text(data, "match_id", context);
      if (pairs.get(match)?.includes(context.user) && inactive.includes(match)) {
        context.refuse("not_active", "the match is not active");
      }
      return match;
    };
    const actingIn = (data: Data, context: MessageContext) => {
      const match = matchOf(data, context);
      if (!context.isMember(match)) context.refuse("not_joined", "join the match first");
      return match;
    };
    const stopTyping = (match: string, user: string) => typists.get(JSON.stringify([match, user]))?.stop();

    server.onConnection((connection) => connection.send("connected", { user_id: connection.user }));
    server.onPresence((user, online) => {
      for (const partner of partnersOf(user))
        server.emit("user_online_status", { user_id: user, online }, { to: partner });
    });
    server.on("join_match", (data, context) => {
      const match = text(data, "match_id", context);
      const users = pairs.get(match) ?? [];
      if (!users.includes(context.user)) {
        if (matches !== undefined || users.length >= 2) context.refuse("not_allowed", "not a match of yours");
        pairs.set(match, [...users, context.user]);
      }
      matchOf(data, context);
      context.join(match);
      for (const partner of pairs.get(match) ?? []) {
        if (partner === context.user) continue;
        context.send("user_online_status", { user_id: partner, online: server.isOnline(partner) });
        // Of a match that is made by joining, the one who was there first could not be told earlier.
        if (!users.includes(context.user)) {
          server.emit("user_online_status", { user_id: context.user, online: true }, { to: partner });
        }
      }
    });
    server.on("send_message", (data, context) => {
      const content = text(data, "content", context, true);
      const match = actingIn(data, context);
      stopTyping(match, context.user);
      const clientId = data["client_id"] == null ? undefined : text(data, "client_id", context, true);
      const key = clientId !== undefined ? JSON.stringify([match, context.user, clientId]) : undefined;
      const earlier = key === undefined ? undefined : sent.get(key);
      if (earlier) return context.send("new_message", earlier);
      newestId =
        Math.max(newestId, ...server.history(match, { limit: 1 }).messages.map(({ id }) => Number(id) || 0)) + 1;
      const message: Data = {
        id: String(newestId),
        matchId: match,
        senderId: context.user,
        content,
        createdAt: new Date().toISOString(),
        readAt: null,
        ...(key !== undefined && { clientId }),
      };
      if (key !== undefined) sent.set(key, message);
      server.remember(match, message);
      context.publish(match, "new_message", message, { except: "nobody" });
    });
    server.on("typing", (data, context) => {
      const match = actingIn(data, context);
      const { is_typing: isTyping } = data;
      if (typeof isTyping !== "boolean") context.refuse("malformed", "`is_typing` must be a boolean");
      const [key, payload] = [JSON.stringify([match, context.user]), { match_id: match, user_id: context.user }];
      if (!isTyping) return stopTyping(match, context.user);
      clearTimeout(typists.get(key)?.timer);
      const stop = () => {
        clearTimeout(typists.get(key)?.timer);
        if (typists.delete(key)) context.publish(match, "typing_stopped", payload);
      };
      typists.set(key, { stop, timer: setTimeout(stop, TYPING_MS) });
      context.publish(match, "user_typing", payload);
    });
    server.on("read_message", (data, context) => {
      const id = text(data, "message_id", context);
      const match = actingIn(data, context);
      const { messages } = server.history(match, { limit: Number.POSITIVE_INFINITY });
      const at = messages.findIndex((message) => message["id"] === id);
      if (at < 0 || messages[at]?.["senderId"] === context.user) context.refuse("not_found", "no such message");
      const read = messages
        .slice(0, at + 1)
        .filter(({ senderId, readAt }) => senderId !== context.user && readAt === null);
      if (!read.some((message) => message["id"] === id)) return;
      const readAt = new Date().toISOString();
      for (const message of read) server.remember(match, { ...message, readAt });
      server.markAsRead(match, id, context.user);
      context.publish(
        match,
        "message_read",
        { message_id: id, match_id: match, readAt, up_to: true },
        { except: "nobody" },
      );
    });
    server.on("echo", echo);
    server.onRoomChange((match) => {
      const users = pairs.get(match);
      if (!users || server.members(match).length === 0) return;
      const members = users.map((user) => ({ user_id: user, online: server.isOnline(user) }));
      server.publish(match, "session_members", { session_id: match, match_id: match, members });
    });
  };
}

/** The dialects by name, with their defaults. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { masterx: masterx(), colabmatch: colabmatch() };

function echo(data: Data, context: MessageContext): Data | undefined {
  if (context.isRequest) return data;
  context.send("echo", data);
  return undefined;
}

/** A field that must be a text; identifiers have 1 to 128 bytes. */
function text(data: Data, field: string, context: MessageContext, isFree = false): string {
  const value = data[field];
  if (typeof value === "string" && (isFree || (value !== "" && utf8Length(value) <= 128))) return value;
  return context.refuse("malformed", `\`${field}\` must be a string${isFree ? "" : " of 1 to 128 bytes"}`);
}

function memberOf(data: Data, field: string, context: MessageContext, what: string): string {
  const room = text(data, field, context);
  if (!context.isMember(room)) context.refuse("not_joined", `join the ${what} first`);
  return room;
}

const TYPING_MS = 2_000;
/** The news of one join grows with the square of the members, so larger sessions get none. */
const MAX_ANNOUNCED = 100;
