import type { NativeSocketClient } from "everwire";
import { colabmatch } from "everwire/testing";
import { describe, expect, it } from "vitest";
import { accepted, outcome } from "./harness/reliable";
import { advance, clientOf, heardBy, reliable, startServer, until, useTestServers } from "./harness/testServers";

useTestServers();

describe("MasterX", () => {
  async function session(users: readonly string[], options = reliable) {
    const server = startServer({ dialect: "masterx" });
    const clients = users.map((user) => clientOf(user, options));
    await server.settled();
    for (const client of clients) client.send("join_session", { session_id: "s1" });
    await server.settled();
    return { server, clients: clients as [NativeSocketClient, NativeSocketClient, NativeSocketClient] };
  }
  const say = (id: string) => ({ session_id: "s1", message: { id, content: `text of ${id}` } });

  it.each([
    ["at most once", {}],
    ["reliable", reliable],
  ])("a message reaches the others and the sender's other device, %s", async (_name, options) => {
    const { server, clients } = await session(["ada", "ada", "ben"], options);
    const heard = clients.map((client) => heardBy(client, "message_received"));
    const message = accepted(clients[0].send("message_sent", say("m1")));
    await server.settled();
    const received = {
      message: expect.objectContaining({ id: "m1", content: "text of m1", role: "user", user_id: "ada" }),
    };
    expect(heard).toEqual([[], [received], [received]]);
    expect(message.status).toBe("delivery" in options ? "delivered" : "sent");
    expect(server.history("s1").messages.map(({ id }) => id)).toEqual(["m1"]);
  });

  it("members are told who is there and who is online", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[0], "session_members");
    clients[1].disconnect();
    await server.settled();
    expect(heard.at(-1)).toEqual({
      session_id: "s1",
      members: [
        { user_id: "ada", online: true },
        { user_id: "ben", online: false },
      ],
    });
  });

  it("a server with another database is joined again, and goes on", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[1], "message_received");
    server.faults.restart({ forget: "everything" });
    await until(() => server.members("s1").length === 2);
    clients[0].send("message_sent", say("m1"));
    await server.settled();
    expect(heard).toMatchObject([{ message: { id: "m1" } }]);
  });

  it("typing goes to the others and is never stored; strangers are refused", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const stranger = clientOf("eve", reliable);
    const heard = clients.map((client) => heardBy(client, "typing_indicator"));
    const errors = heardBy(stranger, "error");
    await server.settled();
    clients[0].send("user_typing", { session_id: "s1", isTyping: true });
    stranger.send("user_typing", { session_id: "s1", isTyping: true });
    await server.settled();
    expect(heard).toEqual([[], [{ user_id: "ada", session_id: "s1", isTyping: true }]]);
    expect(errors).toMatchObject([{ code: "not_joined", about: "user_typing" }]);
    expect(await outcome(accepted(stranger.send("message_sent", say("m9"))).done())).toBe("refused");
  });

  it("what is said while a reliable member is away waits for them", async () => {
    const { server, clients } = await session(["ada", "ben"]);
    const heard = heardBy(clients[1], "message_received");
    server.faults.refuseConnections(4);
    server.connections.find(({ user }) => user === "ben")?.drop();
    for (const id of ["m1", "m2"]) clients[0].send("message_sent", say(id));
    await until(() => heard.length === 2);
    expect(heard).toMatchObject([{ message: { id: "m1" } }, { message: { id: "m2" } }]);
  });
});

describe("CoLabMatch", () => {
  async function match() {
    const server = startServer({
      dialect: colabmatch({ matches: { m1: ["ada", "ben"], m2: ["ada", "cyd"] }, inactive: ["m2"] }),
    });
    const [ada, ben] = [clientOf("ada", reliable), clientOf("ben", reliable)];
    await server.settled();
    for (const client of [ada, ben]) client.send("join_match", { match_id: "m1" });
    await server.settled();
    return { server, ada, ben };
  }

  it("a message is announced to both with the server's id, and its copy to the sender alone", async () => {
    const { server, ada, ben } = await match();
    const [own, others] = [heardBy(ada, "new_message"), heardBy(ben, "new_message")];
    const data = { match_id: "m1", content: "hello", client_id: "c1" };
    const message = accepted(ada.send("send_message", data));
    await server.settled();
    expect(message.status).toBe("delivered");
    ada.send("send_message", data);
    await server.settled();
    const stored = { id: "1", matchId: "m1", senderId: "ada", content: "hello", clientId: "c1", readAt: null };
    expect(others).toMatchObject([stored]);
    expect(own).toMatchObject([stored, stored]);
    expect(server.history("m1").messages).toMatchObject([stored]);
  });

  it("typing stops by itself after two seconds, and with the message", async () => {
    const { server, ada, ben } = await match();
    const heard: string[] = [];
    for (const type of ["user_typing", "typing_stopped"]) ben.on(type, () => heard.push(type));
    ada.send("typing", { match_id: "m1", is_typing: true });
    await advance(1_500);
    ada.send("typing", { match_id: "m1", is_typing: true });
    await advance(1_999);
    expect(heard).toEqual(["user_typing", "user_typing"]);
    await advance(1);
    expect(heard).toEqual(["user_typing", "user_typing", "typing_stopped"]);
    ada.send("typing", { match_id: "m1", is_typing: true });
    ada.send("send_message", { match_id: "m1", content: "hello" });
    await server.settled();
    expect(heard.slice(3)).toEqual(["user_typing", "typing_stopped"]);
    await advance(5_000);
    expect(heard).toHaveLength(5);
  });

  it("receipts move forward only, and the sender's message is read", async () => {
    const { server, ada, ben } = await match();
    const heard = heardBy(ada, "message_read");
    const sent = ["a", "b", "c"].map((content) => accepted(ada.send("send_message", { match_id: "m1", content })));
    await server.settled();
    for (const message_id of ["2", "1", "2"]) ben.send("read_message", { match_id: "m1", message_id });
    await server.settled();
    expect(heard).toMatchObject([{ message_id: "2", match_id: "m1", up_to: true }]);
    expect(sent.map(({ status }) => status)).toEqual(["read", "read", "delivered"]);
    expect(await outcome(accepted(ada.send("read_message", { match_id: "m1", message_id: "1" })).done())).toBe(
      "refused",
    );
    expect(server.refused().at(-1)?.code).toBe("not_found");
  });

  it("presence counts devices and is told to the partner", async () => {
    const { server, ada, ben } = await match();
    const heard = heardBy(ada, "user_online_status");
    const phone = clientOf("ben");
    await server.settled();
    ben.disconnect();
    await server.settled();
    expect(heard).toEqual([]);
    phone.disconnect();
    await server.settled();
    expect(heard).toEqual([{ user_id: "ben", online: false }]);
  });

  it("strangers and inactive matches are refused", async () => {
    const { server, ada } = await match();
    const eve = clientOf("eve", reliable);
    await server.settled();
    const codes = async (client: NativeSocketClient, match_id: string) => {
      await outcome(accepted(client.send("join_match", { match_id })).done());
      return server.refused("join_match").at(-1)?.code;
    };
    expect([await codes(eve, "m1"), await codes(ada, "m3"), await codes(ada, "m2")]).toEqual([
      "not_allowed",
      "not_allowed",
      "not_active",
    ]);
  });

  it("a conversation is read page by page, from both ends", async () => {
    const { server } = await match();
    server.seedHistory(
      "m1",
      Array.from({ length: 5 }, (_, n) => ({ id: String(n + 1), content: `${n + 1}` })),
    );
    const ids = (query: object) => {
      const { messages, hasMore } = server.history("m1", { limit: 2, ...query });
      return [messages.map(({ id }) => id).join(), hasMore];
    };
    expect([ids({}), ids({ before: "4" }), ids({ before: "2" })]).toEqual([
      ["4,5", true],
      ["2,3", true],
      ["1", false],
    ]);
    expect([ids({ after: "1" }), ids({ after: "4" })]).toEqual([
      ["2,3", true],
      ["5", false],
    ]);
  });
});
