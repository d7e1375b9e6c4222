import {
  cleanupSocketHandlers,
  emitTypingIndicator,
  initializeSocketHandlers,
  joinSession,
  leaveSession,
} from "everwire/session";
import { describe, expect, it, vi } from "vitest";
import { openClient, useStandIns } from "./harness/clients";
import type { StandInSocket } from "./harness/standInSocket";

useStandIns();

const EMOTION = {
  message_id: "m1",
  emotion: { primary_emotion: "joy", intensity: 0.8, pad_values: { pleasure: 1, arousal: 0, dominance: 0 } },
};
const MESSAGE = { message: { id: "m2", content: "Hello", role: "assistant", timestamp: "2026-01-01T12:00:00.000Z" } };

const typing = (socket: StandInSocket) =>
  socket.frames.filter(({ type }) => type === "user_typing").map(({ data }) => [data["session_id"], data["isTyping"]]);

describe("initializeSocketHandlers", () => {
  it("hands each event to its callback, the client's own included", () => {
    const { client, socket } = openClient();
    const heard: unknown[] = [];
    initializeSocketHandlers(client, {
      emotion_update: ({ message_id, emotion }) => heard.push([message_id, emotion.primary_emotion]),
      message_received: ({ message }) => heard.push(message.content),
      close: ({ code }) => heard.push(code),
    });
    socket.says("emotion_update", EMOTION);
    socket.says("message_received", MESSAGE);
    socket.says("notification", { text: "nobody's" });
    socket.ends(1006);
    expect(heard).toEqual([["m1", "joy"], "Hello", 1006]);
  });

  it("gives the state of a store as it is when the event comes", () => {
    const { client, socket } = openClient();
    let state = { name: "before", seen: [] as string[] };
    const store = { getState: () => state };
    initializeSocketHandlers(client, store, {
      message_received: ({ name, seen }, { message }) => seen.push(`${name} ${message.id}`),
    });
    const { seen } = state;
    socket.says("message_received", MESSAGE);
    state = { name: "after", seen };
    socket.says("message_received", MESSAGE);
    expect(seen).toEqual(["before m2", "after m2"]);
  });

  it("returns the function that ends it, and leaves others alone", () => {
    const { client, socket } = openClient();
    const heard: string[] = [];
    const end = initializeSocketHandlers(client, { message_received: () => heard.push("first") });
    initializeSocketHandlers(client, { message_received: () => heard.push("second") });
    end();
    end();
    socket.says("message_received", MESSAGE);
    expect(heard).toEqual(["second"]);
  });

  it("reports a handler that throws, and goes on", () => {
    const { client, socket } = openClient();
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    initializeSocketHandlers(client, {
      message_received: () => {
        throw new Error("no such list");
      },
    });
    socket.says("message_received", MESSAGE);
    expect(errors).toMatchObject([{ code: "handler_failed", event: "message_received" }]);
  });
});

it("cleanupSocketHandlers ends all that was begun for a client, its typing included, and nothing else", () => {
  const { client, socket } = openClient();
  const heard: string[] = [];
  initializeSocketHandlers(client, { message_received: () => heard.push("callback") });
  initializeSocketHandlers(client, { getState: () => heard }, { message_received: (all) => all.push("store") });
  client.on("message_received", () => heard.push("the application's own"));
  emitTypingIndicator(client, "s1", true);
  vi.advanceTimersByTime(300);
  cleanupSocketHandlers(client);
  cleanupSocketHandlers(client);
  socket.says("message_received", MESSAGE);
  expect(heard).toEqual(["the application's own"]);
  expect(typing(socket)).toEqual([
    ["s1", true],
    ["s1", false],
  ]);
});

describe("emitTypingIndicator", () => {
  it("announces typing by MasterX's rule, however often it is called", () => {
    const { client, socket } = openClient();
    for (let key = 0; key < 20; key++) {
      emitTypingIndicator(client, "s1", true);
      vi.advanceTimersByTime(100);
    }
    expect(typing(socket)).toEqual([
      ["s1", true],
      ["s1", true],
    ]);
    vi.advanceTimersByTime(2_000);
    const all = typing(socket);
    expect(all.at(-1)).toEqual(["s1", false]);
    emitTypingIndicator(client, "s1", false);
    expect(typing(socket)).toEqual(all);
  });

  it("says nothing of a key that is followed by the message", () => {
    const { client, socket } = openClient();
    emitTypingIndicator(client, "s1", true);
    emitTypingIndicator(client, "s1", false);
    vi.advanceTimersByTime(5_000);
    expect(typing(socket)).toEqual([]);
  });

  it("knows sessions apart", () => {
    const { client, socket } = openClient();
    emitTypingIndicator(client, "s1", true);
    emitTypingIndicator(client, "s2", true);
    vi.advanceTimersByTime(300);
    emitTypingIndicator(client, "s1", false);
    expect(typing(socket)).toEqual([
      ["s1", true],
      ["s2", true],
      ["s1", false],
    ]);
  });
});

it("sessions are joined, joined again after a lost connection, and left with the end of typing before", () => {
  const { client, socket } = openClient({ reconnect: { jitter: 0 } });
  joinSession(client, "s1");
  expect(socket.types).toEqual(["join_session"]);
  emitTypingIndicator(client, "s1", true);
  vi.advanceTimersByTime(300);
  leaveSession(client, "s1");
  expect(socket.frames.map(({ type, data }) => [type, data["isTyping"]])).toEqual([
    ["join_session", undefined],
    ["user_typing", true],
    ["user_typing", false],
    ["leave_session", undefined],
  ]);
});
