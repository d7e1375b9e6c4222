import { describe, expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

type Frames = readonly (string | Uint8Array)[];

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

/** The rows of the tables in docs/SOCKETIO.md under "Bad input": what is wrong, by which frames, and whether the connection stays. */
const WRONG: readonly (readonly [code: string, what: string, frames: Frames, stays: boolean])[] = [
  ["not_engine_io", "text of no protocol", ["hello"], true],
  ["not_engine_io", "an empty frame", [""], true],
  ["not_engine_io", "Everwire's own wire", ['{"type":"pong","data":{}}'], true],
  ["wrong_direction", "an upgrade", ["5"], true],
  ["unknown_packet", "a type that is none", ['47["a"]'], true],
  ["unknown_packet", "no type at all", ["4"], true],
  ["bad_namespace", "a name that is too long", [`42/${"n".repeat(300)},["a"]`], true],
  ["negative_id", "a negative id", ['42-1["a"]'], true],
  ["negative_id", "a negative id of an acknowledgement", ["43-1[]"], true],
  ["id_too_large", "an id that no number holds", ["439007199254740992[]"], true],
  ["id_missing", "an acknowledgement of nothing", ["43[]"], true],
  ["payload_missing", "an event that is cut before its JSON", ["42"], false],
  ["payload_not_json", "an event that is cut in its JSON", ['42["a",{"b":'], false],
  ["payload_not_json", "JSON with something behind it", ['42["a"]]'], false],
  ["bad_payload", "an event that is no array", ['42{"a":1}'], false],
  ["bad_payload", "an event without a name", ["42[]"], false],
  ["bad_payload", "a name that is an object", ["42[{}]"], false],
  ["bad_payload", "an acknowledgement that is no array", ["430{}"], false],
  ["bad_payload", "a DISCONNECT with a payload", ["41[1]"], false],
  ["reserved_event", "an event with a reserved name", ['42["connect"]'], true],
  ["bad_attachment_count", "a binary event without a count", ['45["a"]'], false],
  ["bad_attachment_count", "a binary event of no attachments", ['450-["a"]'], false],
  ["too_many_attachments", "129 attachments", ['45129-["a",{"_placeholder":true,"num":0}]'], false],
  ["too_many_attachments", "more attachments than there are numbers", [`45${"9".repeat(400)}-["a"]`], false],
  ["bad_placeholder", "a placeholder for what is not there", ['451-["a",{"_placeholder":true,"num":1}]'], false],
  ["bad_placeholder", "a negative placeholder", ['451-["a",{"_placeholder":true,"num":-1}]'], false],
  ["attachment_missing", "an event in place of an attachment", [binaryEvent(), '42["b"]'], false],
  ["unexpected_binary", "bytes that nothing announced", [Uint8Array.of(1)], false],
  [
    "unexpected_binary",
    "one attachment more than announced",
    [binaryEvent(), Uint8Array.of(1), Uint8Array.of(2)],
    false,
  ],
  ["second_handshake", "another handshake", ['0{"sid":"e2","pingInterval":25000,"pingTimeout":20000}'], true],
  ["foreign_namespace", "a namespace never asked for", ['42/other,["a"]'], true],
  ["foreign_namespace", "a namespace never asked for lets in", ['40/other,{"sid":"s9"}'], true],
  ["second_answer", "another CONNECT", ['40{"sid":"s2"}'], true],
  ["second_answer", "a refusal when it is too late", ['44{"message":"no"}'], true],
];

function binaryEvent(): string {
  return '451-["a",{"_placeholder":true,"num":0}]';
}

describe("a client that is connected", () => {
  it.each(WRONG)("says %s for %s", async (code, _, frames, stays) => {
    const { server, open } = world();
    const { socket, told } = open();
    socket.on("right", (n) => told.push(`right ${n}`));
    const connection = await (await server.connection(1)).letIn();
    await expect.poll(() => socket.connected).toBe(true);
    connection.send('42["right",1]', ...frames, '42["right",2]');
    await expect.poll(() => told.join("\n")).toContain(code);
    if (stays) {
      await expect.poll(() => told.at(-1)).toBe("right 2");
      expect(told).toEqual(["connect s1", "right 1", expect.stringMatching(/^bad_frame /), "right 2"]);
      expect(socket.connected).toBe(true);
      return;
    }
    await (await server.connection(2)).letIn({}, "s2");
    await expect.poll(() => told.at(-1)).toBe("connect s2");
    expect(told).not.toContain("right 2");
    expect(told).toContain("disconnect parse error");
  });

  it("leaves a server that says nothing right more than a hundred times, and tells of ten", async () => {
    const { server, open } = world();
    const { told } = open();
    const connection = await (await server.connection(1)).letIn();
    for (let n = 0; n <= 100; n++) connection.send("hello");
    await server.connection(2);
    await expect.poll(() => told).toContain("disconnect parse error");
    expect(told.filter((line) => line.startsWith("bad_frame"))).toHaveLength(10);
  });

  it("leaves a server whose attachments are too large", async () => {
    const { server, open } = world();
    const { told } = open();
    const connection = await (await server.connection(1)).letIn();
    const parts = [0, 1, 2].map((num) => JSON.stringify({ _placeholder: true, num }));
    const bytes = new Uint8Array(22 * 1_024 * 1_024);
    connection.send(`453-["a",${parts}]`, bytes, bytes, bytes);
    await expect.poll(() => told.join("\n")).toContain("attachments_too_large");
    expect(told).toContain("disconnect parse error");
  });

  it.each([1_000, 100_000])("survives JSON that is %d levels deep", async (levels) => {
    const { server, open } = world();
    const { socket, told } = open();
    const heard: unknown[] = [];
    socket.on("deep", (value) => heard.push(value));
    socket.on("right", () => told.push("right"));
    (await (await server.connection(1)).letIn()).send(`42["deep",${deep(levels)}]`);
    // Each platform reads as deep as it can.
    await expect.poll(() => heard.length + told.filter((line) => line.includes("payload_not_json")).length).toBe(1);
    const last = await server.connection(server.connections.length);
    if (server.connections.length > 1) await last.letIn({}, "s2");
    last.send('42["right"]');
    await expect.poll(() => told).toContain("right");
  });
});

describe("an attempt", () => {
  it.each([
    ["no_handshake", "an event", '42["a"]'],
    ["no_handshake", "a CONNECT", '40{"sid":"s1"}'],
    ["not_engine_io", "a page", "<!doctype html>"],
    ["bad_handshake", "a handshake that is cut", '0{"sid":"e1","pingInt'],
    ["bad_handshake", "a handshake without times", '0{"sid":"e1"}'],
    ["bad_handshake", "a handshake with times that are none", '0{"sid":"e1","pingInterval":-1,"pingTimeout":1e400}'],
    ["unexpected_binary", "bytes", Uint8Array.of(0, 1, 2)],
  ] as const)("ends with %s for %s in place of the handshake, and another follows", async (code, _, frame) => {
    const { server, open } = world();
    const { told } = open();
    (await server.connection(1)).send(frame);
    await expect.poll(() => told.join("\n")).toContain(code);
    await expect.poll(() => told.filter((line) => line.startsWith("connect_error"))).toHaveLength(1);
    await (await server.connection(2)).letIn({}, "s2");
    await expect.poll(() => told.at(-1)).toBe("connect s2");
  });

  it("ends for good with a server of Socket.IO 2, which gives no id", async () => {
    const { server, open } = world();
    const { socket, told } = open();
    const connection = await server.connection(1);
    connection.shakeHands();
    await connection.has("40");
    connection.send("40");
    await expect.poll(() => told.join("\n")).toContain("no_session_id");
    await expect.poll(() => socket.active).toBe(false);
  });

  it("ends when more comes than it holds before it is let in", async () => {
    const { server, open } = world();
    const { told } = open();
    const connection = await server.connection(1);
    connection.shakeHands();
    await connection.has("40");
    for (let n = 0; n <= 1_000; n++) connection.send(`42["early",${n}]`);
    await expect.poll(() => told.filter((line) => line.startsWith("connect_error"))).toHaveLength(1);
    await server.connection(2);
  });
});
