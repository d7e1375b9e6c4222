import { describe, expect, it, vi } from "vitest";
import { names, openPage, stored, useStorage, useWindow } from "./harness/storage";

const browser = useStorage();

/** The pages are killed: their locks are freed, and they say nothing more. */
const kill = (...senders: string[]) => browser.kill(...senders);

class DeafChannel {
  postMessage(): void {}
  close(): void {}
}

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
