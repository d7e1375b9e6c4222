import { type DurableOutboxOptions, durableOutbox, type StoredMessage } from "everwire/durable";
import { IDBDatabase } from "fake-indexeddb";
import { describe, expect, it, vi } from "vitest";
import { message, names, openPage, outboxOf, refusal, stored, useStorage, useWindow } from "./harness/storage";

const browser = useStorage();

/** The pages are killed: their locks are freed, and they say nothing more. */
const kill = (...senders: string[]) => browser.kill(...senders);

class DeafChannel {
  postMessage(): void {}
  close(): void {}
}

const everything = (messages: readonly StoredMessage[]) => messages.map((message) => ({ ...message }));

describe("what a page leaves", () => {
  it("is adopted by the next one, whole and in order", async () => {
    const first = await openPage("a");
    const told = message("a", 3, {
      session: "s",
      purpose: 4,
      expiresAt: Date.now() + 60_000,
      bytes: 7,
      frame: '{"type":"a"}',
    });
    await Promise.all([first.put(1), first.put(2), first.outbox.put(told), first.put(10)]);
    kill("a");
    const { adopted } = await openPage("b");
    expect(names(adopted)).toEqual(["a1", "a2", "a3", "a10"]);
    expect(everything(adopted)[2]).toEqual(told);
  });

  it("comes sender by sender, oldest first, whatever their names", async () => {
    for (const sender of ["m", "z", "a"]) {
      const page = await openPage(sender);
      await page.put(1);
      await page.put(2);
      kill(...browser.locks.held.map((name) => name.slice("everwire:default:".length)));
    }
    const { adopted } = await openPage("k");
    expect(names(adopted)).toEqual(["m1", "m2", "z1", "z2", "a1", "a2"]);
  });

  it("is what nobody acknowledged or removed", async () => {
    const { outbox, put } = await openPage("a");
    await Promise.all([1, 2, 3, 4, 5, 6].map((seq) => put(seq)));
    outbox.acknowledge("a", 3);
    outbox.remove("a", 5);
    await put(7);
    outbox.remove("a", 7);
    await vi.waitFor(async () => expect((await stored()).size).toBe(3));
    kill("a");
    expect(names((await openPage("b")).adopted)).toEqual(["a4", "a6"]);
  });

  it("is gone when it was put and removed in one turn", async () => {
    const { outbox, put } = await openPage("a");
    const putting = put(1);
    outbox.remove("a", 1);
    await putting;
    await vi.waitFor(async () => expect([...(await stored()).keys()]).toEqual(['"default"']));
  });

  it("comes also when it has expired, so that somebody hears of it", async () => {
    const { put } = await openPage("a");
    await put(1, { expiresAt: Date.now() - 1 });
    await put(2, { expiresAt: Date.now() + 60_000 });
    kill("a");
    const { adopted, outbox } = await openPage("b");
    expect(names(adopted)).toEqual(["a1", "a2"]);
    outbox.remove("a", 1);
    await vi.waitFor(async () => expect((await stored()).size).toBe(2));
  });

  it("is found under the same client id too", async () => {
    const first = await openPage("a");
    await first.put(1);
    first.outbox.close();
    expect(names((await openPage("a")).adopted)).toEqual(["a1"]);
  });

  it("is nobody else's", async () => {
    const ada = await openPage("a", { name: "ada" });
    await ada.put(1);
    ada.outbox.close();
    expect((await openPage("b", { name: "ad" })).adopted).toEqual([]);
    expect((await openPage("c")).adopted).toEqual([]);
    expect(names((await openPage("d", { name: "ada" })).adopted)).toEqual(["a1"]);
  });
});

describe("several pages", () => {
  it("never adopt a sender whose page lives", async () => {
    const first = await openPage("a");
    await first.put(1);
    const others = [await openPage("b"), await openPage("c")];
    await first.put(2);
    for (const { adopted, inherited, outbox } of others) {
      expect([adopted, inherited]).toEqual([[], []]);
      outbox.close();
    }
    first.outbox.close();
    expect(names((await openPage("d")).adopted)).toEqual(["a1", "a2"]);
  });

  it("adopt what one that was there before them leaves when it dies, the first of them all of it", async () => {
    const first = await openPage("a");
    await Promise.all([first.put(1), first.put(2)]);
    const [second, third] = [await openPage("b"), await openPage("c")];
    await first.put(3);
    kill("a");
    await vi.waitFor(() => expect(names(second.inherited)).toEqual(["a1", "a2", "a3"]));
    expect(third.inherited).toEqual([]);
    second.outbox.acknowledge("a", 2);
    await vi.waitFor(async () => expect((await stored()).size).toBe(2));
    kill("a", "b");
    await vi.waitFor(() => expect(names(third.inherited)).toEqual(["a3"]));
  });

  it("adopt what one that came after them leaves when it dies", async () => {
    const first = await openPage("a");
    const second = await openPage("b");
    await second.put(1);
    await vi.waitFor(() => expect(browser.locks.awaited).toEqual(["everwire:default:b"]));
    kill("b");
    await vi.waitFor(() => expect(names(first.inherited)).toEqual(["b1"]));
    first.outbox.acknowledge("b", 1);
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:a"]));
  });

  it("take nothing from one that dies with nothing on disk", async () => {
    const first = await openPage("a");
    const second = await openPage("b");
    await second.put(1);
    await vi.waitFor(() => expect(browser.locks.awaited).toEqual(["everwire:default:b"]));
    second.outbox.acknowledge("b", 1);
    await vi.waitFor(async () => expect((await stored()).size).toBe(1));
    kill("b");
    await vi.waitFor(() => expect(browser.locks.granted.filter((name) => name.endsWith(":b"))).toHaveLength(2));
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:a"]));
    expect(first.inherited).toEqual([]);
  });

  it("wait for no more than 64 others", async () => {
    // Each waits for those before it, and for nobody after it.
    vi.stubGlobal("BroadcastChannel", DeafChannel);
    for (let number = 0; number < 70; number++) await (await openPage(`o${number}`)).put(1);
    const before = browser.locks.awaited.length;
    await openPage("last");
    expect(browser.locks.awaited.length - before).toBe(64);
  });

  it("wait for nobody once they are closed or have wiped", async () => {
    await (await openPage("a")).put(1);
    const [second, third] = [await openPage("b"), await openPage("c")];
    expect(browser.locks.awaited).toHaveLength(2);
    second.outbox.close();
    expect(browser.locks.awaited).toHaveLength(1);
    await third.outbox.wipe();
    expect(browser.locks.awaited).toEqual([]);
  });

  it("that start at once share nothing, and adopt everything once", async () => {
    const orphans = Array.from({ length: 10 }, (_, index) => `o${index}`);
    for (const orphan of orphans) {
      const page = await openPage(orphan);
      await page.put(1);
      await page.put(2);
    }
    kill(...browser.locks.held.map((name) => name.slice("everwire:default:".length)));
    const pages = await Promise.all(["a", "b", "c"].map((sender) => openPage(sender)));
    const adopted = pages.flatMap((page) => names(page.adopted));
    expect(adopted.sort()).toEqual(orphans.flatMap((orphan) => [`${orphan}1`, `${orphan}2`]));
  });

  it("pass on what an adopter that died had left", async () => {
    await (await openPage("a")).put(1);
    kill("a");
    const second = await openPage("b");
    await second.put(1);
    expect(names(second.adopted)).toEqual(["a1"]);
    kill("a", "b");
    expect(names((await openPage("c")).adopted)).toEqual(["a1", "b1"]);
  });

  it("forget an adopted sender when it is empty, on disk and as a lock", async () => {
    await (await openPage("a")).put(1);
    const also = await openPage("b");
    await also.put(1);
    await also.put(2);
    kill("a", "b");
    const { outbox } = await openPage("c");
    expect(browser.locks.held).toEqual(["everwire:default:a", "everwire:default:b", "everwire:default:c"]);
    outbox.acknowledge("a", 1);
    outbox.remove("b", 1);
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:b", "everwire:default:c"]));
    outbox.remove("b", 2);
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:c"]));
    expect([...(await stored()).keys()]).toEqual(['"default"']);
  });

  it("forget at once an adopted sender with nothing but damaged messages", async () => {
    await (await openPage("a")).put(1, { frame: "garbage{" });
    kill("a");
    expect((await openPage("b")).adopted).toEqual([]);
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:b"]));
  });

  it("cannot forget each other's messages", async () => {
    const [first, second] = [await openPage("a"), await openPage("b")];
    await first.put(1);
    second.outbox.acknowledge("a", 1);
    second.outbox.remove("a", 1);
    await second.put(1);
    second.outbox.close();
    first.outbox.close();
    expect(names((await openPage("c")).adopted)).toEqual(["a1", "b1"]);
  });
});

describe("transactions", () => {
  it("are shared by all puts of a turn, and strict", async () => {
    const { outbox, put } = await openPage("a");
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => put(index + 1, { bytes: 1 })));
    expect(transactions.mock.calls).toEqual([["messages", "readwrite", { durability: "strict" }]]);
    outbox.acknowledge("a", 400);
    outbox.acknowledge("a", 500);
    await vi.waitFor(() => expect(transactions).toHaveBeenCalledTimes(2));
    expect(transactions.mock.calls[1]).toEqual(["messages", "readwrite", { durability: "relaxed" }]);
  });

  it("are shared by what comes while another is under way", async () => {
    const { put } = await openPage("a");
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    const puts = [put(1)];
    for (const seq of [2, 3, 4]) {
      await Promise.resolve();
      puts.push(put(seq));
    }
    await Promise.all(puts);
    expect(transactions).toHaveBeenCalledTimes(2);
  });

  it("are complete when a put resolves", async () => {
    const { put } = await openPage("a");
    for (const seq of [1, 2, 3]) {
      await put(seq);
      expect((await stored()).has(`["default","a",${seq},32,1]`)).toBe(true);
    }
  });

  it("run nothing while nobody asks", async () => {
    const { put } = await openPage("a");
    await put(1);
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(transactions).not.toHaveBeenCalled();
  });
});

describe("bounds", () => {
  it("count messages of all senders", async () => {
    const bounds = { maxMessages: 3 };
    const first = await openPage("a", bounds);
    const second = await openPage("b", bounds);
    await Promise.all([first.put(1), first.put(2), second.put(1)]);
    expect(await refusal(second.put(2))).toMatchObject({ name: "OutboxError", code: "storage_full" });
    first.outbox.remove("a", 1);
    await vi.waitFor(async () => expect((await stored()).size).toBe(3));
    await second.put(3);
  });

  it("count bytes, and a turn that is too much keeps its beginning", async () => {
    const { put } = await openPage("a", { maxBytes: 100 });
    const sizes = [40, 40, 40, 20];
    const outcomes = await Promise.allSettled(sizes.map((bytes, index) => put(index + 1, { bytes })));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    await put(5, { bytes: 20 });
  });

  it("leave other names alone", async () => {
    const first = await openPage("a", { name: "ada", maxMessages: 1 });
    await first.put(1);
    await (await openPage("a", { name: "grace", maxMessages: 1 })).put(1);
  });

  it("are a thousand messages and a mebibyte where nothing is said", async () => {
    const { outbox, put } = await openPage("a");
    await put(1, { bytes: 1_048_576 });
    expect((await refusal(put(2, { bytes: 1 }))).code).toBe("storage_full");
    outbox.acknowledge("a", 2);
    await vi.waitFor(async () => expect((await stored()).size).toBe(1));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 1_001 }, (_, index) => put(index + 3, { bytes: 1 })),
    );
    expect(outcomes.map(({ status }) => status).lastIndexOf("fulfilled")).toBe(999);
    expect(outcomes[1_000]).toMatchObject({ status: "rejected", reason: { code: "storage_full" } });
  });
});

describe("a wipe", () => {
  it("takes everything of the name, of living pages too, and leaves no trace of it", async () => {
    const ada = { name: "ada" };
    const [first, second] = [await openPage("a", ada), await openPage("b", ada)];
    const other = await openPage("c", { name: "grace" });
    await Promise.all([first.put(1), second.put(1), other.put(1)]);
    await first.outbox.wipe();
    const keys = [...(await stored()).keys()];
    expect(keys.join()).not.toContain("ada");
    expect(keys).toContain('["grace","c",1,32,1]');
  });

  it("overtakes puts that are under way", async () => {
    const [first, second] = [await openPage("a"), await openPage("b")];
    const puts = [first.put(1), second.put(1)];
    const wiping = first.outbox.wipe();
    puts.push(first.put(2), second.put(2));
    await wiping;
    await Promise.allSettled(puts);
    expect([...(await stored()).keys()].filter((key) => key.startsWith("["))).toEqual([]);
  });

  it("refuses what another page put in ignorance of it, and only that", async () => {
    const [first, second] = [await openPage("a"), await openPage("b")];
    await second.put(1);
    await first.outbox.wipe();
    const ignorant = second.put(2);
    expect(await refusal(ignorant)).toMatchObject({
      code: "storage_failed",
      message: expect.stringMatching(/logout.*browser/),
    });
    await second.put(3);
    await first.put(1);
    second.outbox.close();
    expect(names((await openPage("c")).adopted)).toEqual(["b3"]);
  });

  it("refuses nothing under another name", async () => {
    const [first, second] = [await openPage("a", { name: "ada" }), await openPage("b", { name: "grace" })];
    await first.outbox.wipe();
    await second.put(1);
  });

  it("lets go of adopted senders and keeps the page's own", async () => {
    await (await openPage("a")).put(1);
    kill("a");
    const { outbox, put } = await openPage("b");
    await outbox.wipe();
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:b"]));
    await put(1);
  });

  it("works without having opened, and after closing", async () => {
    const first = await openPage("a");
    await first.put(1);
    await outboxOf().wipe();
    expect((await stored()).has("0")).toBe(true);
    expect((await refusal(first.put(2))).code).toBe("storage_failed");
    await first.put(3);
    first.outbox.close();
    await first.outbox.wipe();
    expect([...(await stored()).keys()]).toEqual(["0"]);
  });
});

describe("a page that comes back from the back/forward cache", () => {
  const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

  it.each([true, false])(
    "without its lock, adopted: %s, is loaded anew, and leaves to the next what it stores until then",
    async (isAdopted) => {
      const page = useWindow();
      const first = await openPage("a");
      await first.put(1);
      // WebKit frees the locks of a page that it takes into the cache.
      browser.locks.bereave("everwire:default:a");
      browser.locks.clientId = "other";
      if (isAdopted) expect(names((await openPage("b")).adopted)).toEqual(["a1"]);
      page.show(true);
      const mayConnect = vi.fn();
      first.outbox.ready?.then(mayConnect, mayConnect);
      await first.put(2);
      await turns();
      expect(page.reload).toHaveBeenCalledTimes(1);
      expect(first.outbox.ready).toBeInstanceOf(Promise);
      expect(mayConnect).not.toHaveBeenCalled();
      first.outbox.close();
      if (isAdopted) kill("b", "a");
      expect(names((await openPage("c")).adopted)).toEqual(["a1", "a2"]);
    },
  );

  it("with its lock goes on", async () => {
    const page = useWindow();
    const { outbox, put } = await openPage("a");
    page.show(true);
    await outbox.ready;
    await put(1);
    expect(page.reload).not.toHaveBeenCalled();
  });

  it("is left alone when it was not there, and once the outbox is closed", async () => {
    const page = useWindow();
    const { outbox } = await openPage("a");
    browser.locks.bereave("everwire:default:a");
    page.show(false);
    outbox.close();
    expect(page.listeners.size).toBe(0);
    page.show(true);
    await turns();
    expect(page.reload).not.toHaveBeenCalled();
  });

  it("is loaded anew also where the locks cannot be looked up", async () => {
    const page = useWindow();
    await openPage("a");
    vi.spyOn(browser.locks, "query").mockRejectedValue(new DOMException("no", "InvalidStateError"));
    page.show(true);
    await turns();
    expect(page.reload).toHaveBeenCalledTimes(1);
  });
});

describe("closing", () => {
  it("frees the locks and keeps what is stored and under way", async () => {
    const { outbox, put } = await openPage("a");
    const puts = [put(1), put(2)];
    outbox.close();
    // No transaction ends in microtasks, and a lock that is let go of is free by then.
    for (let tick = 0; tick < 20; tick++) await Promise.resolve();
    expect(browser.locks.held).toEqual(["everwire:default:a"]);
    await Promise.all(puts);
    await vi.waitFor(() => expect(browser.locks.held).toEqual([]));
    expect(names((await openPage("b")).adopted)).toEqual(["a1", "a2"]);
  });

  it("refuses puts from then on", async () => {
    const { outbox, put } = await openPage("a");
    outbox.close();
    expect((await refusal(put(1))).code).toBe("storage_unavailable");
    outbox.acknowledge("a", 1);
    outbox.remove("a", 1);
    outbox.close();
  });

  it("while it opens rejects, and holds nothing", async () => {
    await (await openPage("a")).put(1);
    kill("a");
    const outbox = outboxOf();
    const opening = outbox.open("b");
    outbox.close();
    expect((await refusal(opening)).code).toBe("storage_unavailable");
    await vi.waitFor(() => expect(browser.locks.held).toEqual([]));
  });

  it("lets the same page open anew with the same client id at once", async () => {
    const { outbox } = await openPage("a");
    outbox.close();
    expect((await openPage("a")).adopted).toEqual([]);
  });
});

describe("options", () => {
  it.each([
    { name: "" },
    { name: undefined as unknown as string },
    { name: 7 as unknown as string },
    { maxMessages: 0, name: "ada" },
    { maxBytes: Number.NaN, name: "ada" },
    { maxBytes: "many" as unknown as number, name: "ada" },
  ])("%j is refused by name", (options: DurableOutboxOptions) => {
    const [field = ""] = Object.keys(options);
    const make = () => durableOutbox(options);
    expect(make).toThrow(expect.objectContaining({ name: "OutboxError", code: "invalid_option" }));
    expect(make).toThrow(field);
  });

  it("must name the user", () => {
    const make = durableOutbox as (options?: object) => unknown;
    for (const options of [undefined, null as unknown as object, {}, { maxBytes: 10 }]) {
      expect(() => make(options)).toThrow("`name` must be a text that names the user");
    }
  });
});
