import { type MasterXClientEvents, type MasterXServerEvents, NativeSocketClient } from "everwire";
import { chat } from "everwire/session";
import { colabmatch, type Dialect, masterx, TestServer, virtualClock } from "everwire/testing";

const server = new TestServer<MasterXServerEvents, MasterXClientEvents>({ dialect: "masterx" });
new NativeSocketClient({ WebSocket: server.WebSocket });

server.on("message_sent", ({ message }, { user, refuse }) => {
  if (message.content.length > 10) refuse("too_large");
  return { user };
});
server.on("user_typing", async (data) => data.isTyping);
server.emit("notification", { title: "hello" }, { to: ["ada"] });
server.publish("s1", "typing_indicator", { user_id: "ben", session_id: "s1", isTyping: true });
const contents: string[] = server.received("message_sent").map(({ data }) => data.message.content);
const next: Promise<{ readonly data: { readonly session_id: string } }> = server.nextMessage("join_session");
void [contents, next];

// @ts-expect-error there is no such event
server.on("message_sendt", () => {});
// @ts-expect-error the payload has no such field
server.on("message_sent", (data) => data.text);
// @ts-expect-error a field is missing
server.emit("typing_indicator", { user_id: "ben" });
// @ts-expect-error a server sends this one
server.received("typing_indicator");

const untyped = new TestServer({ dialect: [masterx(), colabmatch({ matches: { m1: ["ada", "ben"] } })] });
untyped.on("anything", (data) => ({ length: Object.keys(data).length }));
untyped.emit("anything", {});
// @ts-expect-error data is an object
untyped.emit("anything", 7);
// @ts-expect-error a match has two users
colabmatch({ matches: { m1: ["ada"] } });
// @ts-expect-error there is no such dialect
new TestServer({ dialect: "slack" });

const own: Dialect = (plain) => {
  plain.on("hello_there", (_data, { send }) => send("general_kenobi"));
};
new TestServer({ dialect: own, authenticate: (token) => token });

untyped.faults.script([
  { at: 0, drop: true },
  { at: 1, delay: [5, 10], refuse: 2 },
  { at: 2, restart: { forget: "clients", downMs: 100 } },
  { at: 3, run: () => untyped.faults.speak() },
]);
// @ts-expect-error a step has a time
untyped.faults.script([{ drop: true }]);
// @ts-expect-error there is no such fault
untyped.faults.script([{ at: 1, explode: true }]);

const clock = virtualClock({ server: [server, untyped], now: new Date(0) });
const moved: Promise<void> = clock.advance(5);
void moved;

chat({ loadEarlier: async ({ id, ...query }) => server.history(id, query) });
chat({ loadMissed: async ({ id, ...query }) => server.history(id, query) });
