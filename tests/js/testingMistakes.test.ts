import { TestServer, TestServerError } from "everwire/testing";
import { describe, expect, it, vi } from "vitest";
import { accepted, outcome } from "./harness/reliable";
import { clientOf, heardBy, reliable, startServer, until, useTestServers } from "./harness/testServers";

useTestServers();

describe("mistakes", () => {
  it("what a handler throws is an internal refusal for the client, and fails the test", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    const cause = new Error("a bug of the test");
    server.on("note", () => {
      throw cause;
    });
    const message = accepted(client.send("note", {}));
    expect(await outcome(message.done())).toBe("refused");
    const mistake = await server.settled().catch((error: unknown) => error);
    expect(mistake).toBeInstanceOf(TestServerError);
    expect(mistake).toMatchObject({ message: "the handler of `note` threw: a bug of the test", cause });
    await server.settled();
  });

  it("mistakes that nobody has asked for fail the end of the test", async () => {
    const server = new TestServer();
    const socket = new server.WebSocket("ws://test?token=ada");
    socket.onopen = () => {
      socket.send("not JSON");
      socket.send('{"type":"note","data":[]}');
    };
    await vi.advanceTimersByTimeAsync(0);
    const close = () => server.close();
    expect(close).toThrow(AggregateError);
    expect(close).not.toThrow();
  });

  it("a malformed frame is shown as it was sent, and answered as by a real server", async () => {
    const server = startServer();
    const socket = new server.WebSocket("ws://test?token=ada");
    const heard: string[] = [];
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onopen = () => socket.send('{"type":"note","data":[7]}');
    const expected = 'sent a malformed frame, its `data` is not an object: {"type":"note","data":[7]}';
    await expect(server.settled()).rejects.toThrow(expected);
    expect(JSON.parse(heard[0] ?? "")).toMatchObject({ type: "error", data: { code: "malformed" } });
  });

  it("a client and a server that answer each other without end do not hang the test", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.on("echo", (data, { send }) => send("echo", data));
    client.on("echo", () => client.send("echo", {}));
    client.send("echo", {});
    await expect(server.settled()).rejects.toThrow("client and server answer each other without end");
  });

  it("waiting for a client that never comes ends with a reason", async () => {
    const server = startServer();
    const reason = await server.connection({ user: "ada" }).catch((error: Error) => error.message);
    expect(reason).toMatch(/^no client of "ada" has connected; with fake timers/);
  });

  it("an event that nobody can hear of is refused where it is sent", async () => {
    const server = startServer({ dialect: "masterx" });
    expect(() => server.emit("notification", {})).toThrow(
      "nobody can hear of `notification`: no client has connected yet",
    );
    clientOf("ada");
    await server.connection();
    server.emit("notification", {});
    expect(() => server.publish("s1", "notification", {})).toThrow('nobody has joined "s1" yet');
  });

  it("ids have as many bytes as those of a real server, and not as many characters", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    const join = (session_id: string) => outcome(accepted(client.send("join_session", { session_id })).done());
    expect([await join("é".repeat(64)), await join("é".repeat(65))]).toEqual([undefined, "refused"]);
  });

  it("a reply that is no JSON is a failed handler", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.on("count", () => ({ n: 7n }));
    expect(await outcome(client.request("count"))).toBe("refused");
    await expect(server.settled()).rejects.toThrow(
      "the handler of `count` threw: Do not know how to serialize a BigInt",
    );
  });

  it("what was sent does not change with what the test has", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.drop();
    const data = { n: 1 };
    server.emit("notification", data);
    data.n = 2;
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ n: 1 }]);
  });

  it("data that is no object is refused where it is given", () => {
    const server = startServer();
    expect(() => server.emit("notification", [] as never)).toThrow("the data of `notification` must be an object");
  });
});
