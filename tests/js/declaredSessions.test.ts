import type { SessionRule } from "everwire";
import { expect, it, vi } from "vitest";
import { makeClient, openClient, useStandIns } from "./harness/clients";
import { comeBack, reliableClient, sentOn, welcome, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const ROOMS: SessionRule = { join: "join_room", leave: "leave_room", key: "room_id" };
const sessions = ROOMS;

/** Ends the connection and opens the next one. */
function reopened(): StandInSocket {
  StandInSocket.newest.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  return StandInSocket.newest;
}

it("a declared session is joined again before what waited for the connection", () => {
  const { client, socket } = openClient({ sessions, reconnect: { jitter: 0 } });
  client.send("join_room", { room_id: "a" });
  socket.ends();
  client.send("note", { text: "waited" });
  expect(reopened().types).toEqual(["join_room", "note"]);
  expect(StandInSocket.newest.frames[0]).toMatchObject({ type: "join_room", data: { room_id: "a" } });
});

it("a queued message never overtakes the join that was asked for before it", () => {
  const client = makeClient({ sessions, queue: { ttlMs: 1_000 } });
  client.send("join_room", { room_id: "a" });
  client.send("note", {});
  vi.advanceTimersByTime(2_000);
  client.send("note", { text: "later" });
  client.connect();
  StandInSocket.newest.opens();
  expect(StandInSocket.newest.types).toEqual(["join_room", "note"]);
});

it("in the reliable mode it is joined again without a number, after the welcome and before everything else", () => {
  const { client, socket } = welcomedClient({ sessions });
  client.send("join_room", { room_id: "a" });
  socket.says("ack", { seq: 1 });
  client.send("note", {});
  expect(sentOn(comeBack({ last: 1 }))).toEqual([
    ["join_room", undefined],
    ["note", 2],
  ]);
});

it("the leave forgets it, also one that waits", () => {
  const { client, socket } = openClient({ sessions, reconnect: { jitter: 0 } });
  client.send("join_room", { room_id: "a" });
  client.send("join_room", { room_id: "b" });
  client.send("leave_room", { room_id: "a" });
  expect(socket.types).toEqual(["join_room", "join_room", "leave_room"]);
  expect(reopened().frames.map(({ data }) => data.room_id)).toEqual(["b"]);
  StandInSocket.newest.ends();
  client.send("leave_room", { room_id: "b" });
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(StandInSocket.newest.types).toEqual(["join_room", "leave_room"]);
  expect(reopened().types).toEqual([]);
});

it("joins that are asked for twice are joined again once, with the latest payload", () => {
  const { client } = openClient({ sessions, reconnect: { jitter: 0 } });
  client.send("join_room", { room_id: "a", seat: 1 });
  client.send("join_room", { room_id: "a", seat: 2 });
  expect(reopened().frames.map(({ data }) => data)).toEqual([{ room_id: "a", seat: 2 }]);
});

it("two rules keep sessions of the same name apart, beside those of the catalogues", () => {
  const { client } = openClient({
    sessions: [ROOMS, { join: "watch", leave: "unwatch", key: "room_id" }],
    reconnect: { jitter: 0 },
  });
  client.send("join_room", { room_id: "a" });
  client.send("watch", { room_id: "a" });
  client.send("join_session", { session_id: "a" });
  expect(reopened().types).toEqual(["join_room", "watch", "join_session"]);
  client.send("unwatch", { room_id: "a" });
  expect(reopened().types).toEqual(["join_room", "join_session"]);
});

it("a declared rule comes before the catalogue's for the same event", () => {
  const { client } = openClient({ sessions: { join: "join_session", key: "room" }, reconnect: { jitter: 0 } });
  client.send("join_session", { session_id: "lobby", room: "a" });
  client.send("leave_session", { session_id: "lobby" });
  expect(reopened().types).toEqual(["join_session"]);
});

it("a whole number names a session as its digits do, and anything else names none", () => {
  const { client } = openClient({ sessions, reconnect: { jitter: 0 } });
  client.send("join_room", { room_id: 7 });
  client.send("join_room", { room_id: 8 });
  client.send("leave_room", { room_id: "7" });
  for (const room_id of [1.5, null, true, ["a"], {}, undefined]) client.send("join_room", { room_id });
  client.send("join_room");
  expect(reopened().frames.map(({ data }) => data)).toEqual([{ room_id: 8 }]);
});

it("a session of a catalogue may be named by a whole number too", () => {
  const { client } = openClient({ reconnect: { jitter: 0 } });
  client.send("join_match", { match_id: 7 });
  expect(reopened().types).toEqual(["join_match"]);
});

it("a client that has logged out joins nothing again", async () => {
  const client = reliableClient({ sessions });
  client.connect();
  const socket = welcome(StandInSocket.newest);
  client.send("join_room", { room_id: "a" });
  socket.says("ack", { seq: 1 });
  await client.logout();
  StandInSocket.newest.ends(1000);
  client.connect();
  expect(sentOn(welcome(StandInSocket.newest))).toEqual([]);
});

it("more than 1 000 declared sessions are refused", () => {
  const { client } = openClient({ sessions });
  for (let room = 0; room < 1_000; room++) client.send("join_room", { room_id: room });
  expect(client.send("join_room", { room_id: "one more" })).toMatchObject({ code: "too_many_sessions" });
});
