import { expect, test } from "vitest";
import { isReference } from "../harness/environment";
import type { Tab } from "./harness/tab";
import { ids, report } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

/** A page whose client keeps messages on disk, under the user's name. */
async function openDurable(): Promise<Tab> {
  const { options, user, open } = world();
  const tab = await open();
  await tab.start(options, { name: user });
  return tab;
}

/** A page that cannot reach the server and has put messages on disk. */
async function queueUp(sent: readonly string[], session = "s1"): Promise<Tab> {
  await world().proxy.rule({ fault: "refuse" });
  const tab = await openDurable();
  const before = await tab.call("stored");
  await tab.call("join", session, { durable: true });
  expect(await tab.call("say", session, sent, { durable: true })).toBe(sent.length);
  await expect.poll(() => tab.call("stored")).toBe(before + sent.length + 1);
  expect(new Set(Object.values(await tab.read("statuses")))).toEqual(new Set(["queued"]));
  return tab;
}

const processedAre = (sent: readonly string[]) => expect.poll(() => world().processed()).toHaveLength(sent.length);

test("messages that a page has queued are processed once and in order after its reload", async () => {
  const { proxy, options, user, processed } = world();
  const sent = ids(100);
  const tab = await queueUp(sent);
  await tab.page.reload();
  await tab.start(options, { name: user });
  await expect.poll(async () => (await tab.call("snapshot")).queued).toBe(101);
  await proxy.heal();
  await processedAre(sent);
  await expect.poll(() => tab.call("stored")).toBe(0);
  report("page reloaded with 100 durable messages queued", sent, await processed());
  expect(await tab.read("errors")).toEqual([]);
  expect((await tab.call("snapshot")).protocolErrors).toBe(0);
});

test("a page that is reloaded while its messages are on their way sends none twice", async () => {
  const { options, user, processed } = world();
  const tab = await openDurable();
  await tab.isOpen();
  await tab.call("join", "s1", { durable: true });
  const sent = ids(100);
  for (let page = 0; page < 4; page++) {
    await tab.call("say", "s1", sent.slice(page * 25, page * 25 + 25), { durable: true });
    await expect.poll(() => tab.read("statuses").then(Object.values)).not.toContain("queued");
    await tab.page.reload();
    await tab.start(options, { name: user });
  }
  await processedAre(sent);
  await expect.poll(() => tab.call("stored")).toBe(0);
  report("page reloaded four times while messages are on their way", sent, await processed());
});

test("messages of a page that crashes are processed once and in order by the next page", async () => {
  const { proxy, processed } = world();
  const sent = ids(100);
  await crash(await queueUp(sent));
  const next = await openDurable();
  await proxy.heal();
  await processedAre(sent);
  await expect.poll(() => next.call("stored")).toBe(0);
  report("page crashed with 100 durable messages queued", sent, await processed());
});

test("two pages that open at once do not both send what a third has left", async () => {
  const { proxy, processed } = world();
  const left = ids(100, "left");
  await crash(await queueUp(left));
  const both = await Promise.all([openDurable(), openDurable()]);
  await Promise.all(
    both.map(async (tab, index) => {
      await tab.call("join", "s1", { durable: true });
      await tab.call("say", "s1", ids(50, `${index}-`), { durable: true });
    }),
  );
  await expect.poll(() => both[0].call("stored")).toBe(202 + 1);
  await proxy.heal();
  await processedAre(Array(200));
  await expect.poll(() => both[0].call("stored")).toBe(0);
  const arrived = await processed();
  const of = (prefix: string) => arrived.filter((id) => id.startsWith(prefix));
  report("left by a crashed page, with two pages opening at once", left, of("left"));
  report("first of the two pages", ids(50, "0-"), of("0-"));
  report("second of the two pages", ids(50, "1-"), of("1-"));
});

test("what earlier pages have left is sent before what is new", async () => {
  const { proxy, processed } = world();
  const [first, second, third] = [ids(20, "first"), ids(20, "second"), ids(20, "third")];
  await crash(await queueUp(first));
  const tab = await openDurable();
  await tab.call("say", "s1", second, { durable: true });
  await expect.poll(() => tab.call("stored")).toBe(41);
  await crash(tab);
  const last = await openDurable();
  expect(await last.call("say", "s1", third)).toBe(20);
  await proxy.heal();
  await last.allAre("acknowledged");
  report(
    "two crashed pages, then a third with messages of its own",
    [...first, ...second, ...third],
    await processed(),
  );
});

test("the fate of what an earlier page has left is not mistaken for that of new messages", async () => {
  const { server, proxy, user, processed, refused } = world();
  const reader = await world().open();
  const other = `reader-of-${user}`;
  await reader.start({ url: server.origin, token: await server.token(other) });
  await reader.isOpen();
  await reader.call("join", "s1");
  const left = ids(3, "left");
  const tab = await queueUp(left);
  // Nobody has joined this one, so the server refuses it.
  await tab.call("say", "elsewhere", ["refused"], { durable: true });
  await expect.poll(() => tab.call("stored")).toBe(5);
  await crash(tab);
  const next = await openDurable();
  const own = ids(8, "own");
  await next.call("say", "s1", own);
  await proxy.heal();
  // A server need not send receipts.
  await next.allAre("delivered", ...(isReference() ? [] : ["acknowledged"]));
  report("with a refused message among what was left", [...left, ...own], await processed());
  expect(await refused()).toEqual(["refused"]);
  expect((await next.call("snapshot")).protocolErrors).toBe(0);
  await expect.poll(() => next.call("stored")).toBe(0);
});

test("a message that the server refuses leaves the disk", async () => {
  const tab = await openDurable();
  await tab.isOpen();
  await tab.call("say", "nobody has joined this", ["m1"], { durable: true });
  await tab.allAre("refused");
  await expect.poll(() => tab.call("stored")).toBe(0);
});

test("logging out leaves nothing to any page", async () => {
  const { proxy, options, user, processed } = world();
  const gone = await queueUp(ids(20, "gone"));
  await crash(gone);
  const other = await openDurable();
  await other.call("say", "s1", ids(20, "other"), { durable: true });
  await expect.poll(() => other.call("stored")).toBe(41);
  const tab = await openDurable();
  await tab.call("say", "s1", ids(20, "own"), { durable: true });
  await expect.poll(() => tab.call("stored")).toBe(61);
  await other.page.close();
  await tab.call("logout");
  expect(await tab.call("stored")).toBe(0);
  expect(new Set(Object.values(await tab.read("statuses")))).toEqual(new Set(["failed"]));
  await tab.page.reload();
  await tab.start(options, { name: user });
  await proxy.heal();
  await tab.isOpen();
  expect((await tab.call("snapshot")).queued).toBe(0);
  await tab.call("join", "s1", { durable: true });
  await tab.call("say", "s1", ["after"], { durable: true });
  await tab.allAre("acknowledged");
  report("logged out with 60 messages on disk, then one more", ["after"], await processed());
});

test("several pages of one user each have their messages processed in their order", async () => {
  const { processed } = world();
  const pages = await Promise.all(["a", "b", "c"].map(async (name) => ({ name, tab: await openDurable() })));
  await Promise.all(
    pages.map(async ({ name, tab }) => {
      await tab.call("join", "s1");
      await tab.call("say", "s1", ids(100, name), { durable: true });
      await tab.allAre("acknowledged");
    }),
  );
  const arrived = await processed();
  for (const { name } of pages) {
    report(
      `three pages at once, page ${name}`,
      ids(100, name),
      arrived.filter((id) => id.startsWith(name)),
    );
  }
});

async function crash({ page }: Tab): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  // The page that should answer is gone.
  session.send("Page.crash").catch(() => {});
  await crashed;
  await page.close();
}
