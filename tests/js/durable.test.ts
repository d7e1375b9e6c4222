import { type DurableOutboxOptions, durableOutbox, type StoredMessage } from "everwire/durable";
import { IDBDatabase } from "fake-indexeddb";
import { describe, expect, it, vi } from "vitest";
import { message, names, openPage, outboxOf, refusal, stored, useStorage } from "./harness/storage";

const browser = useStorage();

/** The pages are killed: their locks are freed, and they say nothing more. */
const kill = (...senders: string[]) => browser.kill(...senders);

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
