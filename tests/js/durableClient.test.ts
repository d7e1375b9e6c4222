import type { EverwireError, NativeSocketClient, Options } from "everwire";
import { durableOutbox } from "everwire/durable";
import { IDBObjectStore as FakeStore } from "fake-indexeddb";
import { describe, expect, it, vi } from "vitest";
import { recorder, useStandIns } from "./harness/clients";
import { accepted, greet, outcome, reliableClient, sentOn, welcome } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";
import { message, openPage, plant, stored, useStorage, useWindow } from "./harness/storage";

const browser = useStorage();
useStandIns();

/** The disk and the locks have done what they were asked for. */
const settle = () => vi.advanceTimersByTimeAsync(50);

const makePage = (options?: Options): NativeSocketClient =>
  reliableClient({ outbox: durableOutbox({ name: "default" }), ...options });

/** A page whose socket is open, though nobody has spoken yet. */
async function connectedPage(options?: Options) {
  const client = makePage(options);
  client.connect();
  await settle();
  const socket = StandInSocket.newest;
  socket.opens();
  return { client, socket };
}

/** What is on disk, as texts such as `a1`. */
async function onDisk(): Promise<string[]> {
  const reading = stored();
  await settle();
  const keys = [...(await reading).keys()].map((key) => JSON.parse(key));
  return keys.filter(Array.isArray).map(([, sender, seq]) => `${sender}${seq}`);
}

/** A page that is gone has left its first message. */
async function leave(sender: string, seq = 1): Promise<void> {
  const frame = JSON.stringify({ type: `${sender}-${seq}`, data: {}, timestamp: 0 });
  const planting = plant(["default", sender, seq, 32, 1], message(sender, seq, { frame, purpose: 0 }));
  await settle();
  await planting;
}

const types = (socket: StandInSocket) => sentOn(socket).map(([type]) => type);

describe("a client that is made and thrown away", () => {
  it("adopts nothing and holds no lock, however many there are", async () => {
    await leave("gone");
    for (let count = 0; count < 3; count++) makePage();
    await settle();
    expect(browser.locks.granted).toEqual([]);
    const { socket } = await connectedPage();
    welcome(socket);
    expect(types(socket)).toEqual(["gone-1"]);
  });
});

describe("what a page leaves that dies while another lives", () => {
  it("is sent by the other, between its own messages, under the name of its sender", async () => {
    const { client, socket } = await connectedPage();
    welcome(socket);
    client.send("own 1");
    const opening = openPage("other");
    await settle();
    const { put } = await opening;
    const frame = '{"type":"left","data":{},"timestamp":0}';
    const putting = put(4, { frame, purpose: 0 });
    await settle();
    await putting;
    browser.kill("other");
    await settle();
    expect(types(socket)).toEqual(["own 1"]);
    socket.says("ack", { seq: 1 });
    expect(socket.frames.at(-1)?.data["client_id"]).toBe("other");
    greet(socket, { last: 3 });
    client.send("own 2");
    expect(sentOn(socket).slice(1)).toEqual([["left", 4]]);
    socket.says("ack", { seq: 4 });
    greet(socket, { last: 1 });
    expect(sentOn(socket).at(-1)).toEqual(["own 2", 2]);
    expect(await onDisk()).toEqual([]);
    expect(client.getSnapshot().protocolErrors).toBe(0);
  });
});

describe("a durable message", () => {
  it("that a server without the reliable mode was sent leaves the disk, and no later page sends it", async () => {
    const { client, socket } = await connectedPage();
    socket.says("pong", {});
    const sent = accepted(client.send("note", {}, { durable: true }));
    await settle();
    expect([types(socket), sent.status]).toEqual([["note"], "sent"]);
    expect(await onDisk()).toEqual([]);
    browser.kill(...browser.locks.held.map((name) => name.slice("everwire:default:".length)));
    const next = await connectedPage();
    welcome(next.socket);
    expect(types(next.socket)).toEqual([]);
  });

  it("that an earlier page has left waits for a server that can say what became of it, and nobody is told that it is lost", async () => {
    await leave("gone");
    const { client, socket } = await connectedPage();
    const { handler, heard } = recorder();
    client.on("drop", handler);
    socket.says("pong", {});
    await settle();
    expect([types(socket), await onDisk(), heard]).toEqual([[], ["gone1"], []]);
    client.dispose();
    await settle();
    const next = await connectedPage();
    welcome(next.socket);
    expect(types(next.socket)).toEqual(["gone-1"]);
  });

  it("that a closing socket does not take stays on disk, and says that it waits", async () => {
    const { client, socket } = await connectedPage();
    socket.says("pong", {});
    socket.readyState = 2;
    const sent = accepted(client.send("note", {}, { durable: true }));
    await settle();
    expect([types(socket), sent.status]).toEqual([[], "queued"]);
    expect(await onDisk()).toHaveLength(1);
  });

  it("whose put the browser never answers is sent after the deadline, and so is what waits behind it", async () => {
    const { client, socket } = await connectedPage();
    welcome(socket);
    const { handler, heard } = recorder<EverwireError>();
    client.on("error", handler as never);
    vi.spyOn(FakeStore.prototype, "get").mockReturnValueOnce({} as IDBRequest);
    client.send("stuck", {}, { durable: true });
    client.send("behind");
    await vi.advanceTimersByTimeAsync(1_900);
    expect([types(socket), heard]).toEqual([[], []]);
    await vi.advanceTimersByTimeAsync(200);
    expect(types(socket)).toEqual(["stuck", "behind"]);
    expect(heard).toMatchObject([{ code: "storage_unavailable" }]);
    client.send("next", {}, { durable: true });
    await settle();
    expect(types(socket)).toEqual(["stuck", "behind", "next"]);
    expect(await onDisk()).toHaveLength(1);
  });

  it("is stored although the client was not connected yet", async () => {
    const client = makePage();
    client.send("note", {}, { durable: true });
    await settle();
    expect(await onDisk()).toHaveLength(1);
  });
});

describe("what has expired when a page adopts it", () => {
  const expired = (seq: number, expiresAt: number) =>
    plant(
      ["default", "gone", seq, 32, 1],
      message("gone", seq, { frame: JSON.stringify({ type: `gone-${seq}`, data: { seq } }), purpose: 0, expiresAt }),
    );

  it("is told as a drop, leaves the disk, and is not sent", async () => {
    const planting = Promise.all([expired(1, Date.now() - 1), expired(2, 1), expired(3, Date.now() + 60_000)]);
    await settle();
    await planting;
    const client = makePage();
    const drops = new Map<string, unknown>();
    client.on("drop", ({ type, data, reason }) => drops.set(type, [data, reason]));
    client.connect();
    await settle();
    expect([...drops].sort()).toEqual([
      ["gone-1", [{ seq: 1 }, "expired"]],
      ["gone-2", [{ seq: 2 }, "expired"]],
    ]);
    welcome(StandInSocket.newest);
    expect(types(StandInSocket.newest)).toEqual(["gone-3"]);
    expect(await onDisk()).toEqual(["gone3"]);
  });
});

describe("a page that comes back from the back/forward cache", () => {
  it("without its lock is loaded anew, and connects no more: another may have sent under its name", async () => {
    const page = useWindow();
    const { socket } = await connectedPage();
    welcome(socket);
    browser.locks.bereave(browser.locks.held[0] as string);
    page.show(true);
    socket.ends();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.reload).toHaveBeenCalledTimes(1);
    expect(StandInSocket.made).toHaveLength(1);
  });

  it("with its lock connects anew", async () => {
    const page = useWindow();
    const { socket } = await connectedPage();
    welcome(socket);
    page.show(true);
    await settle();
    expect(page.reload).not.toHaveBeenCalled();
    expect(StandInSocket.made).toHaveLength(2);
  });
});

describe("logout()", () => {
  it("wipes although the outbox could not be opened", async () => {
    await leave("gone");
    const { open } = indexedDB;
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not now", "UnknownError");
    });
    const { client } = await connectedPage();
    indexedDB.open = open;
    const leaving = client.logout();
    await settle();
    await leaving;
    expect(await onDisk()).toEqual([]);
  });

  it("rejects when there is no storage to wipe", async () => {
    vi.stubGlobal("indexedDB", undefined);
    const { client } = await connectedPage();
    const leaving = outcome(client.logout());
    await settle();
    expect(await leaving).toBe("storage_unavailable");
  });

  it("rejects when the browser does not answer", async () => {
    const { client } = await connectedPage();
    vi.spyOn(FakeStore.prototype, "get").mockReturnValue({} as IDBRequest);
    const leaving = outcome(client.logout());
    await vi.advanceTimersByTimeAsync(2_100);
    expect(await leaving).toBe("storage_unavailable");
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15])(
    "while the restore is %d turns old is not overtaken by it: the next user's token sends nothing",
    async (turns) => {
      await leave("gone");
      const client = makePage({ token: () => "next user" });
      client.connect();
      for (let turn = 0; turn < turns; turn++) await vi.advanceTimersToNextTimerAsync();
      const leaving = client.logout();
      client.connect();
      await settle();
      await leaving;
      const socket = StandInSocket.newest;
      expect(socket.url).toContain("token=next%20user");
      welcome(socket);
      expect([types(socket), client.getSnapshot().queued]).toEqual([[], 0]);
      expect(await onDisk()).toEqual([]);
    },
  );
});
