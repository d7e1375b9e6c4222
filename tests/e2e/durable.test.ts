import { expect, test } from "vitest";
import { type OutboxPage, useOutboxSite } from "./harness/outboxSite";

const site = useOutboxSite();

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);
const named = (sender: string, seqs: readonly number[]) => seqs.map((seq) => `${sender}${seq}`);

test("a reload keeps a hundred messages in order", async () => {
  const page = await site().open();
  expect(await page.adopt("a")).toEqual([]);
  expect(await page.put(numbers(100))).toEqual([]);
  await page.reload();
  expect(await page.adopt("b")).toEqual(named("a", numbers(100)));
  await page.put(numbers(2));
  await page.acknowledge("a", 98);
  await expect.poll(() => page.stored()).toEqual(["a99", "a100", "b1", "b2"]);
  await page.reload();
  expect(await page.adopt("c")).toEqual(["a99", "a100", "b1", "b2"]);
});

test.each(["closed", "crashed"])("what a %s tab had on disk is adopted by the next only", async (end) => {
  const dying = await site().open();
  await dying.adopt("a");
  await dying.put(numbers(10));
  // Killed in the middle of a turn that nobody has an answer about.
  const last = dying.put(numbers(10, 11)).catch(() => {});
  if (end === "crashed") await dying.crash();
  else await dying.page.close();
  await last;
  const next = await site().open();
  await expect.poll(() => next.held()).toEqual([]);
  const adopted = await next.adopt("b");
  expect(adopted.slice(0, 10)).toEqual(named("a", numbers(10)));
  expect([10, 20]).toContain(adopted.length);
  const third = await site().open();
  expect(await third.adopt("c")).toEqual([]);
});

test("a killed browser loses nothing that was stored", async () => {
  const { openProfile } = site();
  await openProfile(async (page, kill) => {
    await page.adopt("a");
    expect(await page.put(numbers(100))).toEqual([]);
    await kill();
  });
  await openProfile(async (page) => {
    expect(await page.adopt("b")).toEqual(named("a", numbers(100)));
  });
});

test("tabs that open at once share nothing and adopt each orphan exactly once", async () => {
  const { open } = site();
  const orphans = numbers(12).map((number) => `orphan${number}-`);
  const nursery = await open();
  for (const orphan of orphans) {
    await nursery.adopt(orphan);
    await nursery.put([1, 2]);
  }
  await nursery.page.close();
  const tabs = await Promise.all(numbers(4).map(() => open()));
  await expect.poll(() => tabs[0]?.held()).toEqual([]);
  const adopted = await Promise.all(tabs.map((tab, index) => tab.adopt(`tab${index}`)));
  expect(adopted.flat().sort()).toEqual(orphans.flatMap((orphan) => named(orphan, [1, 2])).sort());
  for (const messages of adopted) {
    const senders = messages.map((message) => message.slice(0, -1));
    expect(messages).toEqual([...new Set(senders)].flatMap((sender) => named(sender, [1, 2])));
  }
});

test("an adopted sender that is acknowledged is forgotten, and its lock freed", async () => {
  const { open } = site();
  const first = await open();
  await first.adopt("a");
  await first.put(numbers(3));
  await first.page.close();
  const second = await open();
  await expect.poll(() => second.held()).toEqual([]);
  await second.adopt("b");
  await expect.poll(() => second.held()).toEqual(["a", "b"]);
  await second.acknowledge("a", 3);
  await expect.poll(() => second.held()).toEqual(["b"]);
  await expect.poll(() => second.stored()).toEqual([]);
});

test("a wipe in one tab takes what another has written and is writing", async () => {
  const { open } = site();
  const [leaving, writing] = [await open(), await open()] as [OutboxPage, OutboxPage];
  await leaving.adopt("a");
  await writing.adopt("b");
  await leaving.put(numbers(5));
  await writing.put(numbers(5));
  // Turn after turn until one is refused, which is how the tab hears of the wipe.
  const refused = writing.page.evaluate(async () => {
    for (let seq = 10; ; seq += 10) {
      document.title = String(seq);
      const codes = await window.put([seq, seq + 1, seq + 2], 100);
      if (codes.length > 0) return codes;
    }
  });
  await expect.poll(async () => Number(await writing.page.title())).toBeGreaterThan(50);
  await leaving.wipe();
  expect(await refused).toEqual(["storage_failed", "storage_failed", "storage_failed"]);
  expect(await leaving.stored()).toEqual([]);
  expect(await writing.put([100_000])).toEqual([]);
  expect(await leaving.stored()).toEqual(["b100000"]);
});

test("a full disk is reported, and what was stored stays", async () => {
  const { open, origin, context } = site();
  const page = await open();
  const session = await context.newCDPSession(page.page);
  // Before the first use, because Chromium remembers for a while how much room there was.
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 500_000 });
  await page.adopt("a", { maxBytes: 1e9 });
  expect(await page.put([1])).toEqual([]);
  expect(await page.put([2, 3], 1_000_000)).toEqual(["storage_full", "storage_full"]);
  expect(await page.put([4])).toEqual([]);
  await page.reload();
  expect(await page.adopt("b")).toEqual(["a1", "a4"]);
});

test("clearing the site's data does not end the outbox", async () => {
  const { open, origin, context } = site();
  const page = await open();
  await page.adopt("a");
  await page.put([1]);
  const session = await context.newCDPSession(page.page);
  await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
  expect(await page.put([2])).toEqual([]);
  expect(await page.stored()).toEqual(["a2"]);
});

test("a private window works as long as it lasts, and sees nothing of others", async () => {
  const { browser, open } = site();
  const page = await open();
  await page.adopt("a");
  await page.put([1]);
  const privateContext = await browser.newContext();
  const hidden = await open(privateContext);
  expect(await hidden.adopt("b")).toEqual([]);
  await hidden.put([1]);
  await hidden.reload();
  expect(await hidden.adopt("c")).toEqual(["b1"]);
  await privateContext.close();
  await page.reload();
  expect(await page.adopt("d")).toEqual(["a1"]);
});

test("a sandboxed frame is told that it has no storage", async () => {
  const { open, origin } = site();
  const { page } = await open();
  await page.setContent(`<iframe sandbox="allow-scripts" src="${origin}/"></iframe>`);
  const frame = page.frames()[1];
  await frame?.waitForFunction(() => "adopt" in window);
  const outcome = await frame?.evaluate(() =>
    window.adopt("a", {}).catch((error: { code: string; cause: Error }) => [error.code, error.cause.name]),
  );
  expect(outcome).toEqual(["storage_unavailable", "SecurityError"]);
});

test("a page in the back/forward cache gives up its messages to one that asks", async () => {
  const { open } = site();
  const page = await open();
  await page.adopt("a");
  await page.put([1]);
  await page.page.evaluate(() => document.body.classList.add("same"));
  await page.load("/elsewhere");
  const other = await open();
  expect(await other.adopt("b")).toEqual(["a1"]);
  await page.page.goBack();
  expect(await page.page.evaluate(() => document.body.className)).toBe("");
  expect(await page.adopt("c")).toEqual([]);
});

test("a thousand puts of one turn share a few transactions", async () => {
  const page = await site().open();
  await page.adopt("a");
  const { transactions, refused } = await page.page.evaluate(async (seqs) => {
    let transactions = 0;
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...options) {
      transactions++;
      return transaction.apply(this, options);
    };
    return { refused: await window.put(seqs, 200), transactions };
  }, numbers(1_000));
  expect(refused).toEqual([]);
  expect(transactions).toBeGreaterThan(0);
  expect(transactions).toBeLessThan(10);
  await page.reload();
  expect(await page.adopt("b")).toHaveLength(1_000);
});
