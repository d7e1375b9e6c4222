import { durableOutbox } from "everwire/durable";
import {
  IDBDatabase as FakeDatabase,
  IDBObjectStore as FakeStore,
  IDBTransaction as FakeTransaction,
} from "fake-indexeddb";
import { describe, expect, it, type MockInstance, vi } from "vitest";
import {
  failTransactions,
  message,
  names,
  openPage,
  outboxOf,
  plant,
  refusal,
  result,
  stored,
  useStorage,
} from "./harness/storage";

const browser = useStorage();

describe("a page without storage is told so when it opens", () => {
  const unavailable = async () => {
    const error = await refusal(outboxOf().open("a"));
    expect(error).toMatchObject({ name: "OutboxError", code: "storage_unavailable" });
    expect(error).toBeInstanceOf(Error);
    await vi.waitFor(() => expect(browser.locks.held).toEqual([]));
    return error;
  };

  it("no IndexedDB", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await unavailable();
  });

  it("IndexedDB that throws, as in a sandboxed frame", async () => {
    const cause = new DOMException("access is denied", "SecurityError");
    vi.stubGlobal("indexedDB", {
      open() {
        throw cause;
      },
    });
    expect((await unavailable()).cause).toBe(cause);
  });

  it("IndexedDB that fails later, as in some private windows", async () => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      const request = { error: new DOMException("no", "InvalidStateError") } as unknown as IDBOpenDBRequest;
      queueMicrotask(() => request.onerror?.(new Event("error")));
      return request;
    });
    expect((await unavailable()).cause).toMatchObject({ name: "InvalidStateError" });
  });

  it("no Web Locks, as on an insecure page", async () => {
    vi.stubGlobal("navigator", {});
    expect((await unavailable()).message).toMatch(/Web Locks.*https/);
    vi.stubGlobal("navigator", undefined);
    await unavailable();
  });

  it("Web Locks that refuse", async () => {
    const cause = new DOMException("no", "SecurityError");
    vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(cause) } });
    expect((await unavailable()).cause).toBe(cause);
  });

  it("a database of a newer version", async () => {
    const request = indexedDB.open("everwire", 2);
    (await result(request)).close();
    expect((await unavailable()).message).toMatch(/newer.*reload/);
  });

  it("a database that never answers, whose late answer is closed again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const requests: IDBOpenDBRequest[] = [];
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      requests.push({} as IDBOpenDBRequest);
      return requests.at(-1) as IDBOpenDBRequest;
    });
    const outcome = unavailable();
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await outcome).message).toMatch(/does not answer/);
    const close = vi.fn();
    for (const request of requests) {
      Object.assign(request, { result: { close } });
      request.onsuccess?.(new Event("success"));
    }
    await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(requests.length));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a client id that another page holds on to", async () => {
    const first = await openPage("a");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const outcome = refusal(outboxOf().open("a"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await outcome).code).toBe("storage_unavailable");
    first.outbox.close();
    await vi.waitFor(() => expect(browser.locks.held).toEqual([]));
  });

  it("and puts are refused, while a wipe is still tried", async () => {
    vi.stubGlobal("indexedDB", undefined);
    const outbox = outboxOf();
    await refusal(outbox.open("a"));
    expect((await refusal(outbox.put(message("a", 1)))).code).toBe("storage_unavailable");
    expect((await refusal(outbox.wipe())).name).toBe("OutboxError");
  });
});

describe("a transaction that the browser never answers", () => {
  const hang = () => vi.spyOn(FakeStore.prototype, "get").mockReturnValueOnce({} as IDBRequest);

  it("is given up after 2 s, with every put of its turn, and the next is written", async () => {
    const { put } = await openPage("a");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    hang();
    const puts = [refusal(put(1)), refusal(put(2))];
    await Promise.resolve();
    const behind = put(3);
    await vi.advanceTimersByTimeAsync(2_000);
    for (const error of await Promise.all(puts)) expect(error).toMatchObject({ code: "storage_unavailable" });
    await behind;
    expect([...(await stored()).keys()]).toContain('["default","a",3,32,1]');
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not keep a wipe from rejecting, or the locks from being let go of", async () => {
    const { outbox, put } = await openPage("a");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    hang();
    const putting = refusal(put(1));
    await Promise.resolve();
    hang();
    const wiping = refusal(outbox.wipe());
    outbox.close();
    expect(browser.locks.held).toEqual(["everwire:default:a"]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([(await putting).code, (await wiping).code]).toEqual(["storage_unavailable", "storage_unavailable"]);
    await vi.waitFor(() => expect(browser.locks.held).toEqual([]));
  });
});

describe("a transaction that fails", () => {
  const quota = new DOMException("full", "QuotaExceededError");

  it("is tried once more", async () => {
    const { outbox, put } = await openPage("a");
    const { tried } = failTransactions(undefined);
    await put(1);
    expect(tried()).toBe(2);
    outbox.close();
    expect(names((await openPage("b")).adopted)).toEqual(["a1"]);
  });

  it("is reported when it fails again, and the next is not affected", async () => {
    const { put } = await openPage("a");
    const cause = new DOMException("broken", "UnknownError");
    failTransactions(cause, cause);
    const errors = await Promise.all([refusal(put(1)), refusal(put(2))]);
    for (const error of errors) expect(error).toMatchObject({ code: "storage_failed" });
    await put(3);
    expect((await stored()).size).toBe(2);
  });

  it("for want of space is `storage_full`", async () => {
    const { put } = await openPage("a");
    failTransactions(quota, quota);
    expect(await refusal(put(1))).toMatchObject({ code: "storage_full" });
  });

  it("is not taken for stored when it is aborted at the last moment", async () => {
    const { put } = await openPage("a");
    const commit = vi.spyOn(FakeTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
      this.abort();
    });
    expect((await refusal(put(1))).code).toBe("storage_failed");
    expect(commit).toHaveBeenCalledTimes(2);
  });

  it("because a message cannot be written says why, and stores nothing of its turn", async () => {
    const { put } = await openPage("a");
    const puts = [put(1), put(2, { frame: (() => {}) as unknown as string })];
    for (const error of await Promise.all(puts.map(refusal))) {
      expect(error).toMatchObject({ code: "storage_failed", cause: { name: "DataCloneError" } });
    }
    expect((await stored()).size).toBe(1);
  });

  it("on acknowledgement is nobody's concern", async () => {
    const { outbox, put } = await openPage("a");
    await Promise.all([put(1), put(2)]);
    const { tried } = failTransactions(undefined, undefined);
    outbox.acknowledge("a", 1);
    await vi.waitFor(() => expect(tried()).toBe(2));
    outbox.acknowledge("a", 2);
    await vi.waitFor(async () => expect((await stored()).size).toBe(1));
  });

  it("names neither payload, user nor sender", async () => {
    const { put } = await openPage("client-7", { name: "ada" });
    failTransactions(quota, quota);
    const error = await refusal(put(1));
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/secret|ada|client-7/);
  });
});

const connection = (opened: MockInstance<IDBFactory["open"]>): IDBDatabase => {
  const [first] = opened.mock.results;
  if (first?.type !== "return") throw new Error("nothing was opened");
  return first.value.result;
};

describe("a database that is taken away", () => {
  it("is let go of for a newer version, which then refuses", async () => {
    const { put } = await openPage("a");
    await put(1);
    const request = indexedDB.open("everwire", 2);
    (await result(request)).close();
    expect(await refusal(put(2))).toMatchObject({
      code: "storage_unavailable",
      message: expect.stringMatching(/reload/),
    });
  });

  it("is let go of when it is deleted, and made anew", async () => {
    const { put } = await openPage("a");
    await put(1);
    await result(indexedDB.deleteDatabase("everwire"));
    await put(2);
    expect((await stored()).has('["default","a",2,32,1]')).toBe(true);
  });

  it("is opened again after an unexpected close", async () => {
    const opened = vi.spyOn(indexedDB, "open");
    const { put } = await openPage("a");
    const database = connection(opened);
    database.close();
    database.onclose?.(new Event("close"));
    const transactions = vi.spyOn(FakeDatabase.prototype, "transaction");
    await put(1);
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(opened).toHaveBeenCalledTimes(2);
  });

  it("is opened again when the connection turns out to be closed", async () => {
    const opened = vi.spyOn(indexedDB, "open");
    const { put } = await openPage("a");
    const database = connection(opened);
    database.close();
    await put(1);
    expect(opened).toHaveBeenCalledTimes(2);
    expect((await stored()).has('["default","a",1,32,1]')).toBe(true);
  });
});

describe("damaged entries", () => {
  it("are skipped and removed", async () => {
    const good = message("a", 5);
    const damaged: [IDBValidKey, unknown][] = [
      [["default", "a", 1, 32, 1], undefined],
      [["default", "a", 2, 32, 1], "text"],
      [["default", "a", 3, 32, 1], { ...good, frame: 7 }],
      [["default", "a", 4, 32, 1], { ...good, expiresAt: "soon" }],
      [["default", "a", 6, 32, 1], { ...good, session: {} }],
      [["default", "a", 7, 32, 1], { ...good, purpose: null }],
      [["default", "a", 9, 32, 1], { ...good, frame: "garbage{" }],
      [["default", "a", 10, 32, 1], { ...good, frame: '{"data":{}}' }],
      [["default", "a", 11, 32, 1], { ...good, frame: "null" }],
      [["default", "a", 12, 32, 1], { ...good, seq: 1.5 }],
      [["default", "a", 8], {}],
      [["default", "b"], 0],
      [["default", 7, 1, 32, 1], null],
      [["default"], []],
    ];
    for (const [key, value] of damaged) await plant(key, value);
    await plant(["default", "a", 5, 32, 1], good);
    const { adopted, put } = await openPage("c");
    expect(names(adopted)).toEqual(["a5"]);
    await put(1);
    expect([...(await stored()).keys()]).toEqual(['"default"', '["default","a",5,32,1]', '["default","c",1,32,2]']);
  });

  it("that cannot be read do not hide the others", async () => {
    for (const seq of [1, 2, 3]) await plant(["default", "a", seq, 32, 1], message("a", seq));
    const get = FakeStore.prototype.get;
    vi.spyOn(FakeStore.prototype, "get").mockImplementation(function (this: IDBObjectStore, key) {
      if (!Array.isArray(key) || key[2] !== 2) return get.call(this, key);
      // Adding what is there fails as a record fails that cannot be read: by an event that aborts unless it is prevented.
      return this.add("", ["default", "a", 1, 32, 1]) as unknown as IDBRequest;
    });
    expect(names((await openPage("b")).adopted)).toEqual(["a1", "a3"]);
    expect([...(await stored()).keys()].some((key) => key.includes(",2,32"))).toBe(false);
  });
});

it("making an outbox touches nothing, and neither does what is asked of it before it is opened", async () => {
  const touched: string[] = [];
  for (const name of ["indexedDB", "navigator", "BroadcastChannel"]) {
    vi.stubGlobal(name, undefined);
    Object.defineProperty(globalThis, name, { configurable: true, get: () => touched.push(name) });
  }
  const outbox = durableOutbox({ name: "default" });
  outbox.acknowledge("a", 1);
  outbox.remove("a", 1);
  expect((await refusal(outbox.put(message("a", 1)))).code).toBe("storage_unavailable");
  outbox.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(touched).toEqual([]);
});

it("opening and closing leaves neither timers nor connections", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval"] });
  const closed = vi.spyOn(FakeDatabase.prototype, "close");
  const { outbox, put } = await openPage("a");
  await put(1);
  outbox.close();
  await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
  expect(vi.getTimerCount()).toBe(0);
});
