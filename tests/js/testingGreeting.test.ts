import { describe, expect, it } from "vitest";
import { accepted } from "./harness/reliable";
import { advance, clientOf, reliable, startServer, useTestServers } from "./harness/testServers";

useTestServers();

describe("how clients say who they are, and ask whether the server is there", () => {
  it.each([
    ["query", { tokenIn: "query", tokenParam: "access" }],
    ["first message", { tokenIn: "first-message", authEvent: "login", tokenParam: "jwt" }],
    ["subprotocol", { tokenIn: "subprotocol" }],
  ] as const)("the token is found in the %s", async (_name, options) => {
    const server = startServer(options);
    const client = clientOf("ada", { ...reliable, ...options, protocols: ["everwire"] });
    const message = accepted(client.send("note", {}));
    expect((await server.connection()).user).toBe("ada");
    expect([message.status, server.received().map(({ user }) => user)]).toEqual(["acknowledged", ["ada"]]);
  });

  it("who says something else first is closed", async () => {
    const server = startServer({ tokenIn: "first-message" });
    const client = clientOf("ada");
    await advance(0);
    client.send("note", {});
    await server.settled();
    expect([client.getSnapshot().close?.code, server.received()]).toEqual([1008, []]);
  });

  it("ping and pong have the names of the client's option", async () => {
    const heartbeat = { ping: "are_you_there", pong: "i_am" };
    const server = startServer({ heartbeat });
    const client = clientOf("ada", { heartbeat });
    await server.connection();
    await advance(31_000);
    expect([client.getSnapshot().lastRttMs, server.received()]).toEqual([0, []]);
  });
});
