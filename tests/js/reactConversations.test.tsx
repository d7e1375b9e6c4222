// @vitest-environment happy-dom
import { act, render, renderHook } from "@testing-library/react";
import { useMatch, useSession, useSocket, WebSocketProvider } from "everwire/react";
import { chat } from "everwire/session";
import { StrictMode } from "react";
import { describe, expect, it, vi } from "vitest";
import { makeClient } from "./harness/clients";
import { below, opens, settle, usePage } from "./harness/page";
import { StandInSocket } from "./harness/standInSocket";

const BEGUN = "2026-01-01T12:00:00.000Z";

usePage();

/** Something arrives, and is on the page with the next frame. */
const says = (type: string, data: object) => {
  act(() => StandInSocket.newest.says(type, data));
  act(() => vi.advanceTimersToNextFrame());
};
const sent = (type: string) =>
  StandInSocket.newest.frames.filter((frame) => frame.type === type).map(({ data }) => data);

const chatting = (userId?: string) => makeClient({ chat: chat({ userId }) });

const newMessage = (id: string, senderId: string, more: object = {}) => ({
  id,
  matchId: "m1",
  senderId,
  content: `message ${id}`,
  createdAt: BEGUN,
  readAt: null,
  ...more,
});

describe("useSession", () => {
  it("joins before anything else goes out, shows what is sent at once, and leaves with the last component", () => {
    const { result, unmount } = renderHook(() => useSession("s1"), { wrapper: below(chatting("ada")) });
    expect(result.current.messages).toEqual([]);
    let id = "";
    act(() => {
      id = result.current.send("Hello", { mood: "curious" });
    });
    expect(result.current.messages).toMatchObject([{ id, content: "Hello", status: "sending", isOwn: true }]);
    opens();
    expect(StandInSocket.newest.types).toEqual(["join_session", "message_sent"]);
    expect(sent("message_sent")).toMatchObject([
      { session_id: "s1", message: { id, content: "Hello", mood: "curious" } },
    ]);
    expect(result.current.messages).toMatchObject([{ id, status: "sent" }]);
    says("message_received", {
      message: { id: "2", content: "Hi", role: "user", timestamp: BEGUN, session_id: "s1", user_id: "ben" },
    });
    expect(result.current.unread).toBe(1);
    act(() => result.current.markAsRead());
    expect(result.current.unread).toBe(0);
    unmount();
    settle();
    expect(sent("leave_session")).toEqual([{ session_id: "s1" }]);
  });

  it("renders at once for the first event and for what the user does, and for all others once a frame", () => {
    let renders = 0;
    const { result } = renderHook(
      () => {
        renders++;
        return useSession("s1");
      },
      { wrapper: below(chatting("ada")) },
    );
    opens();
    act(() => vi.advanceTimersToNextFrame());
    const hears = (number: number) => {
      const message = { id: `m${number}`, content: `${number}`, role: "user", timestamp: BEGUN, user_id: "ben" };
      act(() => StandInSocket.newest.says("message_received", { message }));
    };
    renders = 0;
    for (let number = 0; number < 100; number++) hears(number);
    expect([renders, result.current.messages.length]).toEqual([1, 1]);
    act(() => void result.current.send("mine"));
    expect(result.current.messages.at(-1)).toMatchObject({ content: "mine", isOwn: true });
    renders = 0;
    act(() => vi.advanceTimersToNextFrame());
    expect(renders).toBeLessThanOrEqual(1);
    expect(result.current.messages).toHaveLength(101);
    for (let number = 100; number < 200; number++) hears(number);
    act(() => vi.advanceTimersToNextFrame());
    act(() => vi.advanceTimersToNextFrame());
    expect(result.current.messages).toHaveLength(201);
    expect(renders).toBeLessThanOrEqual(3);
  });

  it("joins once in StrictMode, and for however many components", () => {
    const client = chatting();
    const Session = () => `${useSession("s1").messages.length} `;
    const { container } = render(
      <StrictMode>
        <WebSocketProvider client={client}>
          <Session />
          <Session />
        </WebSocketProvider>
      </StrictMode>,
    );
    opens();
    settle();
    expect(container.textContent).toBe("0 0 ");
    expect(StandInSocket.newest.types).toEqual(["join_session"]);
  });

  it("leaves the old one and joins the new one when the id changes, and joins nothing without an id", () => {
    const { result, rerender } = renderHook(({ id }: { id: string | null }) => useSession(id), {
      wrapper: below(chatting("ada")),
      initialProps: { id: "s1" as string | null },
    });
    opens();
    act(() => void result.current.send("in the first"));
    rerender({ id: "s2" });
    settle();
    expect(result.current.messages).toEqual([]);
    expect(StandInSocket.newest.frames.map(({ type, data }) => [type, data["session_id"]])).toEqual([
      ["join_session", "s1"],
      ["message_sent", "s1"],
      ["join_session", "s2"],
      ["leave_session", "s1"],
    ]);
    rerender({ id: null });
    settle();
    expect(sent("leave_session")).toEqual([{ session_id: "s1" }, { session_id: "s2" }]);
    expect(sent("join_session")).toHaveLength(2);
    expect(() => result.current.send("to nobody")).toThrow(expect.objectContaining({ code: "invalid_data" }));
    expect(() => result.current.markAsRead()).not.toThrow();
    expect(StandInSocket.newest.closedWith).toBeUndefined();
  });

  it("keeps its functions while the id is the same", () => {
    const { result } = renderHook(() => useSession("s1"), { wrapper: below(chatting("ada")) });
    const { send, retry, keyPressed, loadEarlier } = result.current;
    opens();
    act(() => void send("Hello"));
    expect(result.current).toMatchObject({ send, retry, keyPressed, loadEarlier });
  });

  it("says what the client misses", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => renderHook(() => useSession("s1"), { wrapper: below(makeClient()) })).toThrow("chat: chat()");
  });
});

describe("useSocket", () => {
  const open = (userId?: string) => {
    const client = chatting(userId);
    const hook = renderHook(({ matchId }: { matchId: string | null }) => useSocket(matchId), {
      wrapper: below(client),
      initialProps: { matchId: "m1" as string | null },
    });
    opens();
    return { client, ...hook };
  };

  it("has exactly the shape of CoLabMatch's", () => {
    const { client, result } = open("ada");
    expect(Object.keys(result.current).sort()).toEqual(
      [
        "socket",
        "connected",
        "online",
        "messages",
        "typing",
        "sendMessage",
        "sendTyping",
        "markAsRead",
        "error",
      ].sort(),
    );
    expect(result.current).toMatchObject({
      socket: client,
      connected: true,
      online: false,
      messages: [],
      typing: false,
      error: null,
    });
    expect(sent("join_match")).toEqual([{ match_id: "m1" }]);
  });

  it("gives the client as soon as there is one, before it is connected", () => {
    const { result } = renderHook(() => useSocket(null), {
      wrapper: ({ children }) => (
        <WebSocketProvider options={{ url: "http://server.test" }}>{children}</WebSocketProvider>
      ),
    });
    expect(result.current).toMatchObject({ connected: false });
    expect(result.current.socket?.getState()).toBe("connecting");
  });

  it("shows messages with CoLabMatch's fields and how far they have come, each once", () => {
    const { result } = open("ada");
    let id = "";
    act(() => {
      id = result.current.sendMessage("Hello");
    });
    expect(result.current.messages).toMatchObject([
      { id, matchId: "m1", senderId: "ada", content: "Hello", readAt: null, status: "sent" },
    ]);
    expect(sent("send_message")).toEqual([{ match_id: "m1", content: "Hello", client_id: id }]);
    says("new_message", newMessage("7", "ada", { clientId: id, content: "Hello" }));
    says("new_message", newMessage("8", "ben", { createdAt: "2026-01-01T12:00:01.000Z" }));
    expect(result.current.messages).toEqual([
      {
        id,
        matchId: "m1",
        senderId: "ada",
        content: "Hello",
        createdAt: BEGUN,
        readAt: null,
        status: "sent",
        isOwn: true,
      },
      {
        id: "8",
        matchId: "m1",
        senderId: "ben",
        content: "message 8",
        createdAt: "2026-01-01T12:00:01.000Z",
        readAt: null,
        status: null,
        isOwn: false,
      },
    ]);
    const [, other] = result.current.messages;
    says("message_read", { message_id: "7", match_id: "m1", readAt: "2026-01-01T12:00:02.000Z" });
    expect(result.current.messages[0]).toMatchObject({ status: "read", readAt: expect.any(String) });
    expect(result.current.messages[1]).toBe(other);
  });

  it("marks as read, says who types, and hears it", () => {
    const { result } = open("ada");
    says("new_message", newMessage("8", "ben"));
    act(() => result.current.markAsRead("8"));
    expect(sent("read_message")).toEqual([{ message_id: "8", match_id: "m1" }]);
    act(() => result.current.sendTyping(true));
    act(() => result.current.sendTyping(false));
    expect(sent("typing").map(({ is_typing }) => is_typing)).toEqual([true, false]);
    says("user_typing", { match_id: "m1", user_id: "ben" });
    expect(result.current.typing).toBe(true);
    act(() => vi.advanceTimersByTime(3_000));
    expect(result.current.typing).toBe(false);
  });

  const listed = (...members: [user_id: string, online: boolean][]) => ({
    session_id: "m1",
    match_id: "m1",
    members: members.map(([user_id, online]) => ({ user_id, online })),
  });

  it.each([undefined, "ada"])("shows whether the other one is there, where this user is %s", (userId) => {
    const { result } = open(userId);
    says("session_members", listed(["ada", true], ["ben", false]));
    expect(result.current.online).toBe(false);
    says("user_online_status", { user_id: "ben", online: true });
    expect(result.current.online).toBe(true);
    act(() => void result.current.sendMessage("Hello"));
    says("new_message", newMessage("7", "ada", { content: "Hello", clientId: result.current.messages[0]?.id }));
    expect(result.current.online).toBe(true);
    act(() => StandInSocket.newest.ends());
    expect(result.current).toMatchObject({ online: false, connected: false });
  });

  it("shows what the server refuses, and why there is no connection", () => {
    const { result } = open("ada");
    says("error", { message: "Not a member of this match", code: "not_allowed", about: "join_match" });
    expect(result.current.error).toBe("Not a member of this match");
  });

  it("shows a URL that cannot be connected to", () => {
    const client = makeClient({ url: "nowhere", chat: chat() });
    const { result } = renderHook(() => useSocket("m1"), { wrapper: below(client) });
    expect(result.current.error).toContain("`url` is not an absolute URL");
    expect(result.current.connected).toBe(false);
  });

  it("joins nothing without a match, and is connected all the same", () => {
    const { result, rerender } = open("ada");
    rerender({ matchId: null });
    settle();
    expect(result.current).toMatchObject({ connected: true, messages: [], online: false, error: null });
    rerender({ matchId: "m2" });
    expect(sent("join_match")).toEqual([{ match_id: "m1" }, { match_id: "m2" }]);
  });

  it("is the match that useMatch shows in full", () => {
    const { result } = renderHook(() => ({ socket: useSocket("m1"), match: useMatch("m1") }), {
      wrapper: below(chatting("ada")),
    });
    opens();
    act(() => void result.current.match.send("Hello"));
    expect(result.current.socket.messages.map(({ id }) => id)).toEqual(
      result.current.match.messages.map(({ id }) => id),
    );
    expect(sent("join_match")).toHaveLength(1);
  });
});
