import { EverwireError } from "everwire";
import { describe, expect, it } from "vitest";
import { openClient, recorder, useStandIns } from "./harness/clients";
import { accepted, welcomedClient } from "./harness/reliable";

useStandIns();

it("a handler gets the payload and the whole message", () => {
  const { client, socket } = openClient();
  const calls: unknown[] = [];
  client.on("greeting", (data, message) => calls.push([data, message]));
  socket.says("greeting", { text: "hello" }, { timestamp: 12, extra: true });
  expect(calls).toEqual([
    [{ text: "hello" }, { type: "greeting", data: { text: "hello" }, timestamp: 12, extra: true }],
  ]);
});

it("data that is left out is an empty object", () => {
  const { client, socket } = openClient();
  const { handler, heard } = recorder();
  client.on("greeting", handler);
  socket.saysText('{"type":"greeting"}');
  expect(heard).toEqual([{}]);
});

describe.each([null, 5, "text", true, [], [{}]])("data that is %j", (data) => {
  it("is reported and not delivered, and the connection stays", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const errors = recorder();
    client.on("greeting", handler);
    client.on("error", errors.handler);
    socket.says("greeting", data);
    expect(heard).toEqual([]);
    const frame = JSON.stringify({ type: "greeting", data });
    expect(errors.heard).toMatchObject([{ code: "bad_frame", message: expect.stringContaining("`data`"), frame }]);
    expect(client.isConnected()).toBe(true);
  });

  it("does not stop the stream that it came on", () => {
    const { client, socket } = welcomedClient();
    const { handler, heard } = recorder();
    client.on("note", handler);
    socket.says("note", data, { stream: "user", offset: 1 });
    socket.says("note", { n: 2 }, { stream: "user", offset: 2 });
    expect(heard).toEqual([{ n: 2 }]);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", protocolErrors: 0 });
  });

  it("does not count as an acknowledgement or a welcome", () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note"));
    socket.says("ack", data);
    socket.says("welcome", data);
    expect(message.status).toBe("sent");
    expect(client.getSnapshot().protocolErrors).toBe(2);
  });
});

it("an event that nobody handles is no error", () => {
  const { client, socket } = openClient();
  const { handler, heard } = recorder();
  client.on("error", handler);
  socket.says("unheard", {});
  socket.says("pong", { timestamp: "2026-01-01T00:00:00Z" });
  expect(heard).toEqual([]);
});

it.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])(
  "an event named %o is an event like any other",
  (name) => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const errors = recorder();
    client.on("error", errors.handler);
    socket.saysText(`{"type":${JSON.stringify(name)},"data":{"before":true}}`);
    client.on(name, handler);
    socket.saysText(`{"type":${JSON.stringify(name)},"data":{"after":true}}`);
    expect(heard).toEqual([{ after: true }]);
    expect(errors.heard).toEqual([]);
  },
);

describe("a frame that is no event", () => {
  it.each([
    ["not JSON", "hello"],
    ["not JSON", ""],
    ["not JSON", '{"type":"x"'],
    ["string `type`", "null"],
    ["string `type`", "5"],
    ["string `type`", '"type"'],
    ["string `type`", "[]"],
    ["string `type`", '[{"type":"x"}]'],
    ["string `type`", "{}"],
    ["string `type`", '{"type":5}'],
    ["string `type`", '{"type":null,"data":{}}'],
    ["binary", new ArrayBuffer(8)],
  ])("is reported (%s) and the connection stays: %o", (reason, frame) => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const greetings = recorder();
    client.on("error", handler);
    client.on("greeting", greetings.handler);
    socket.saysText(frame);
    socket.says("greeting", {});
    expect(heard).toHaveLength(1);
    expect(heard[0]).toBeInstanceOf(EverwireError);
    expect(heard[0]).toMatchObject({
      name: "EverwireError",
      code: "bad_frame",
      message: expect.stringContaining(reason),
      frame: typeof frame === "string" ? frame : null,
    });
    expect(greetings.heard).toHaveLength(1);
    expect(client.isConnected()).toBe(true);
    expect(socket.closedWith).toBeUndefined();
  });

  it("is shortened in the report", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<{ frame?: string | null }>();
    client.on("error", handler as () => void);
    socket.saysText("x".repeat(100_000));
    expect(heard[0]?.frame).toBe("x".repeat(120));
  });

  it("nested deeper than any parser goes is reported like any other", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    client.on("error", handler);
    socket.saysText("[".repeat(1_000_000));
    expect(heard).toMatchObject([{ code: "bad_frame" }]);
    expect(client.isConnected()).toBe(true);
  });
});

it.each(["open", "close", "state", "reconnecting", "give_up", "drop"])(
  "a server cannot send the client's own event %s",
  (name) => {
    const { client, socket } = openClient();
    const own = recorder();
    const errors = recorder();
    client.on(name, own.handler);
    client.on("error", errors.handler);
    socket.says(name, { code: 1000, attempts: 3 });
    expect(own.heard).toEqual([]);
    expect(errors.heard).toMatchObject([
      { code: "bad_frame", message: expect.stringContaining("event of the client") },
    ]);
    expect(errors.heard[0]).toBeInstanceOf(EverwireError);
    expect(client.isConnected()).toBe(true);
  },
);

it("an error event of the server arrives as it is, without a code", () => {
  const { client, socket } = openClient();
  const { handler, heard } = recorder();
  client.on("error", handler);
  socket.says("error", { message: "rate limit exceeded" });
  expect(heard).toEqual([{ message: "rate limit exceeded" }]);
  expect(heard[0]).not.toBeInstanceOf(Error);
});

it("what a replaced socket still says is not heard", () => {
  const { client, socket } = openClient();
  const { handler, heard } = recorder();
  client.on("greeting", handler);
  client.reconnect();
  socket.says("greeting");
  socket.ends();
  expect(heard).toEqual([]);
  expect(client.getState()).toBe("connecting");
});
