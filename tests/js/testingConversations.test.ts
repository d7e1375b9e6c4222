import type { Chat } from "everwire";
import { chat } from "everwire/session";
import type { HistoryQuery } from "everwire/testing";
import { describe, expect, it } from "vitest";
import { advance, clientOf, endAfterwards, reliable, startServer, useTestServers } from "./harness/testServers";

useTestServers();

describe("with the conversations of everwire/session", () => {
  const contents = (conversation: Chat) =>
    conversation.getSnapshot().messages.map(({ content, status }) => `${content}: ${status}`);

  it.each(["session", "match"] as const)(
    "a refusal fails the message of a %s at most once, and no other",
    async (kind) => {
      const server = startServer({ dialect: kind === "session" ? "masterx" : "colabmatch" });
      const conversation = clientOf("ada", { chat: chat({ userId: "ada" }) })[kind]("c1");
      endAfterwards(conversation.join());
      await server.settled();
      conversation.send("before");
      const type = kind === "session" ? "message_sent" : "send_message";
      server.faults.refuseMessages({ type, code: "rate_limited" });
      await server.settled();
      const refused = contents(conversation)[0]?.endsWith("failed");
      conversation.send("behind");
      await advance(100);
      await server.settled();
      expect([refused, contents(conversation).sort()]).toEqual([true, ["before: failed", "behind: sent"]]);
    },
  );

  it("MasterX: two users and a second device agree over a restart of the server", async () => {
    const server = startServer({ dialect: "masterx" });
    server.seedHistory("s1", [
      {
        id: "old",
        content: "earlier",
        role: "user",
        timestamp: "2025-12-31T00:00:00.000Z",
        user_id: "ben",
        session_id: "s1",
      },
    ]);
    const open = (userId: string) => {
      const loadEarlier = async ({ id, ...query }: HistoryQuery & { readonly id: string }) => server.history(id, query);
      const conversation = clientOf(userId, { ...reliable, chat: chat({ userId, loadEarlier }) }).session("s1");
      endAfterwards(conversation.join());
      return conversation;
    };
    const [ada, phone, ben] = [open("ada"), open("ada"), open("ben")] as const;
    await server.settled();
    ada.send("one");
    server.faults.restart({ downMs: 5_000 });
    ada.send("two");
    ben.send("three");
    expect(contents(ada)).toEqual(["one: sending", "two: sending"]);
    await advance(20_000);
    for (const conversation of [ada, phone, ben]) {
      const words = contents(conversation).map((text) => text.split(":")[0]);
      expect(words.slice().sort()).toEqual(["earlier", "one", "three", "two"]);
      expect(words.indexOf("one")).toBeLessThan(words.indexOf("two"));
    }
    expect(contents(ada).filter((text) => text.endsWith("delivered"))).toEqual(["one: delivered", "two: delivered"]);
    expect(ada.getSnapshot().members).toEqual([
      { userId: "ada", online: true },
      { userId: "ben", online: true },
    ]);
    expect(server.received("message_sent")).toHaveLength(3);
  });

  it("CoLabMatch: messages, typing and receipts of two users", async () => {
    const server = startServer({ dialect: "colabmatch" });
    const open = (userId: string) => {
      const conversation = clientOf(userId, { ...reliable, chat: chat({ userId }) }).match("m1");
      endAfterwards(conversation.join());
      return conversation;
    };
    const [ada, ben] = [open("ada"), open("ben")] as const;
    await server.settled();
    ada.keyPressed();
    await server.settled();
    expect(ben.getSnapshot().typing).toEqual(["ada"]);
    await advance(2_500);
    expect(ben.getSnapshot().typing).toEqual([]);
    ada.send("hello");
    await server.settled();
    expect([contents(ada), ben.getSnapshot().unread]).toEqual([["hello: delivered"], 1]);
    ben.markAsRead();
    await advance(1_000);
    expect([contents(ada), ben.getSnapshot().unread]).toEqual([["hello: read"], 0]);
  });
});
