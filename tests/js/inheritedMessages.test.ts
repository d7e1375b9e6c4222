import type { Chat, NativeSocketClient } from "everwire";
import { durableOutbox } from "everwire/durable";
import { type ChatOptions, chat } from "everwire/session";
import { expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";
import { greet, reliableClient, sentOn, welcome } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";
import { message, openPage, plant, stored, useStorage } from "./harness/storage";

const browser = useStorage();
useStandIns();

const settle = () => vi.advanceTimersByTimeAsync(50);

/** A page whose conversations and outbox know each other. */
function makePage(options?: ChatOptions): NativeSocketClient {
  const outbox = durableOutbox({ name: "default" });
  return reliableClient({ outbox, chat: chat({ userId: "ada", durable: outbox, ...options }) });
}

async function connected(client: NativeSocketClient): Promise<StandInSocket> {
  client.connect();
  await settle();
  return StandInSocket.newest;
}

/** The pages that live are gone. */
const killPages = () => browser.kill(...browser.locks.held.map((name) => name.slice("everwire:default:".length)));

/** A page has written this, offline, and is gone. */
async function written(write: (client: NativeSocketClient) => unknown): Promise<void> {
  const client = makePage();
  write(client);
  await settle();
  killPages();
}

const shown = (chat: Chat) =>
  chat.getSnapshot().messages.map(({ content, status, error }) => [content, status, error?.code ?? null]);

/** What a page has left under this id, with a time after which it is not worth sending. */
async function plantMessage(
  clientId: string,
  seq: number,
  expiresAt: number | null = null,
  session_id = "s1",
): Promise<void> {
  const data = { session_id, message: { id: `${clientId}-${seq}`, content: `${clientId} ${seq}` } };
  const frame = JSON.stringify({ type: "message_sent", data, timestamp: 0 });
  const planting = plant(
    ["default", clientId, seq, 32, 1],
    message(clientId, seq, { frame, purpose: 0, expiresAt, createdAt: Date.now() - 1_000 }),
  );
  await settle();
  await planting;
}

it.each(["session", "match"] as const)("what a %s's last page has written is shown, and moves", async (kind) => {
  await written((client) => {
    const { join, send } = client[kind]("c1");
    join();
    send("first", { mood: "calm" });
    send("second");
  });
  const client = makePage();
  const conversation = client[kind]("c1");
  conversation.join();
  expect(shown(conversation)).toEqual([]);
  const socket = await connected(client);
  const both = (status: string) => [
    ["first", status, null],
    ["second", status, null],
  ];
  expect(shown(conversation)).toEqual(both("sending"));
  const [first] = conversation.getSnapshot().messages;
  expect(first).toMatchObject({ isOwn: true, senderId: "ada", data: { mood: "calm" } });
  expect(first?.data).toEqual({ mood: "calm" });
  welcome(socket);
  const sent = sentOn(socket);
  expect(sent.map(([type]) => type).filter((type) => /send_message|message_sent/.test(type))).toHaveLength(2);
  socket.says("ack", { seq: sent.at(-1)?.[1] });
  expect(shown(conversation)).toEqual(both("sent"));
  expect(client[kind === "session" ? "match" : "session"]("c1").getSnapshot().messages).toEqual([]);
});

it("a conversation that is used later shows what is still on its way, and no more than that", async () => {
  await plantMessage("gone", 1);
  await plantMessage("gone", 2);
  const client = makePage();
  const socket = await connected(client);
  welcome(socket);
  socket.says("ack", { seq: 1 });
  const session = client.session("s1");
  session.join();
  expect(shown(session)).toEqual([["gone 2", "sending", null]]);
  expect(session.getSnapshot().messages[0]?.at).toBeLessThanOrEqual(Date.now() - 1_000);
});

it("what a page leaves that dies while this one lives is shown as well", async () => {
  const client = makePage();
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  welcome(socket);
  const opening = openPage("other");
  await settle();
  const { put } = await opening;
  const data = { session_id: "s1", message: { id: "late", content: "late" } };
  const putting = put(4, { frame: JSON.stringify({ type: "message_sent", data, timestamp: 0 }), purpose: 0 });
  await settle();
  await putting;
  expect(shown(session)).toEqual([]);
  browser.kill("other");
  await settle();
  expect(shown(session)).toEqual([["late", "sending", null]]);
  socket.says("ack", { seq: 1 });
  greet(socket, { last: 3 });
  socket.says("ack", { seq: 4 });
  expect(shown(session)).toEqual([["late", "sent", null]]);
});

it("what the history has already is not shown twice, and has arrived", async () => {
  await plantMessage("gone", 1);
  const stored = { id: "gone-1", content: "gone 1", role: "user", session_id: "s1", user_id: "ada" };
  const timestamp = new Date().toISOString();
  const loadEarlier = () => Promise.resolve({ messages: [{ ...stored, timestamp }], hasMore: false });
  const client = makePage({ loadEarlier });
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  welcome(socket, { last: 1 });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(shown(session)).toEqual([["gone 1", "sent", null]]);
});

it("what has expired has failed, and is sent anew by a retry", async () => {
  await plantMessage("gone", 1, 1);
  const client = makePage();
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  expect(shown(session)).toEqual([["gone 1", "failed", "unconfirmed"]]);
  session.retry("gone-1");
  welcome(socket);
  await settle();
  expect(shown(session)).toEqual([["gone 1", "sending", null]]);
  expect(sentOn(socket).map(([type]) => type)).toContain("message_sent");
});

it.each([{}, { message_id: "gone-2" }])("what the server refuses has failed, and nothing else: %o", async (named) => {
  await plantMessage("gone", 1);
  await plantMessage("gone", 2);
  const client = makePage();
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  welcome(socket);
  socket.says("error", { code: "not_allowed", message: "no", about: "message_sent", seq: 2, ...named });
  socket.says("ack", { seq: 2 });
  await settle();
  expect(shown(session)).toEqual([
    ["gone 2", "failed", "refused"],
    ["gone 1", "sent", null],
  ]);
  expect(session.getSnapshot().error).toMatchObject({ code: "not_allowed" });
});

it("a logout forgets it", async () => {
  await plantMessage("gone", 1);
  await plantMessage("gone", 2, null, "s2");
  const client = makePage();
  const session = client.session("s1");
  session.join();
  await connected(client);
  const leaving = client.logout();
  await settle();
  await leaving;
  expect(shown(session)).toEqual([]);
  client.session("s2").join();
  expect(shown(client.session("s2"))).toEqual([]);
});

it("a logout while the outbox is opened shows the next user nothing", async () => {
  await plantMessage("gone", 1);
  for (let steps = 0; steps < 30; steps++) {
    const client = makePage();
    client.connect();
    for (let step = 0; step < steps; step++) await vi.advanceTimersByTimeAsync(1);
    const leaving = client.logout().catch(() => {});
    await settle();
    await leaving;
    const session = client.session("s1");
    session.join();
    client.connect();
    await settle();
    expect([steps, shown(session)]).toEqual([steps, []]);
    client.dispose();
    await settle();
    await plantMessage("gone", 1);
  }
});

it("of two senders with the same number, what is refused is the one that is under way", async () => {
  await plantMessage("aaaa", 2);
  await plantMessage("bbbb", 2);
  const client = makePage();
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  welcome(socket);
  socket.says("error", { code: "not_allowed", message: "no", about: "message_sent", seq: 2 });
  socket.says("ack", { seq: 2 });
  greet(socket);
  socket.says("ack", { seq: 2 });
  await settle();
  expect(shown(session).sort()).toEqual([
    ["aaaa 2", "failed", "refused"],
    ["bbbb 2", "sent", null],
  ]);
});

it("a logout leaves nothing on the disk of what is in use, and the next connection joins it", async () => {
  const client = makePage();
  client.session("s1").join();
  const socket = await connected(client);
  welcome(socket);
  const leaving = client.logout();
  await settle();
  await leaving;
  await settle();
  const reading = stored();
  await settle();
  const keys = [...(await reading).keys()].map((key) => JSON.parse(key));
  expect(keys.filter((key) => JSON.stringify(key).includes("default"))).toEqual([]);
  const next = await connected(client);
  welcome(next);
  expect(sentOn(next).map(([type]) => type)).toEqual(["join_session"]);
});

it("what is no message of a conversation is none", async () => {
  const frames = ['{"type":"message_sent","data":{}}', '{"type":"send_message","data":{"match_id":"s1","content":7}}'];
  for (const [index, frame] of [...frames, '{"type":"note","data":null}'].entries()) {
    const planting = plant(["default", "gone", index + 1, 32, 1], message("gone", index + 1, { frame, purpose: 0 }));
    await settle();
    await planting;
  }
  const client = makePage();
  const session = client.session("s1");
  session.join();
  const socket = await connected(client);
  welcome(socket);
  expect(sentOn(socket).map(([type]) => type)).toEqual(["message_sent", "send_message", "note"]);
  expect(shown(session)).toEqual([]);
});
