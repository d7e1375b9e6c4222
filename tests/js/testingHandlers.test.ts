import type { EverwireError } from "everwire";
import { describe, expect, it } from "vitest";
import { accepted, outcome } from "./harness/reliable";
import { advance, clientOf, reliable, startServer, useTestServers } from "./harness/testServers";

useTestServers();

describe("requests and handlers", () => {
  it("what a handler returns is the reply, also when it takes its time", async () => {
    const server = startServer();
    const client = clientOf("ada", { ...reliable, heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 } });
    await server.connection();
    server.on("add", ({ a, b }) => ({ sum: Number(a) + Number(b) }));
    server.on("slow", async () => {
      await new Promise((resolve) => setTimeout(resolve, 25_000));
      return { slow: true };
    });
    expect(await client.request("add", { a: 1, b: 2 })).toEqual({ sum: 3 });
    const slow = client.request("slow", {}, { timeoutMs: 60_000 });
    const behind = accepted(client.send("note", {}));
    await advance(24_000);
    expect([server.received("note").length, server.connections.length, server.connections[0]?.id]).toEqual([0, 1, 1]);
    await advance(2_000);
    expect(await slow).toEqual({ slow: true });
    expect(behind.status).toBe("acknowledged");
  });

  it("a message whose handler outlives the connection is processed once", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("slow", async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return { slow: true };
    });
    const slow = client.request("slow", {}, { timeoutMs: 60_000 });
    await server.settled();
    server.faults.drop();
    await advance(10_000);
    expect(await slow).toEqual({ slow: true });
    expect(server.received("slow")).toHaveLength(1);
  });

  it("refusing ends the handler and rejects the request", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("order", (_data, { refuse }) => refuse("not_allowed", "not yours"));
    const error = await client.request("order").catch((cause: EverwireError) => cause);
    expect(error).toMatchObject({ code: "refused", cause: { code: "not_allowed", message: "not yours" } });
  });

  it("a later handler comes before the dialect's, which it can call", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    const joined: unknown[] = [];
    const off = server.on("join_session", (data, { next }) => {
      joined.push(data["session_id"]);
      return next();
    });
    await accepted(client.send("join_session", { session_id: "s1" })).done();
    off();
    await accepted(client.send("join_session", { session_id: "s2" })).done();
    expect([joined, server.members("s1"), server.members("s2")]).toEqual([["s1"], ["ada"], ["ada"]]);
  });

  it("a client of the reliable mode goes on at most once with a server that does not know it", async () => {
    const server = startServer({ reliable: false });
    const client = clientOf("ada", reliable);
    await server.connection();
    client.send("note", {});
    await server.settled();
    expect([client.getSnapshot().delivery, server.received("note")[0]?.seq]).toEqual(["at-most-once", null]);
    expect(await outcome(client.request("note"))).toBe("unsupported");
  });

  it("each message is handed out once", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    client.send("note", { n: 1 });
    client.send("note", { n: 2 });
    expect((await server.nextMessage("note")).data).toEqual({ n: 1 });
    expect((await server.nextMessage("note", { user: "ben" }).catch((error) => error)).message).toContain('of "ben"');
    expect((await server.nextMessage("note")).data).toEqual({ n: 2 });
  });
});
