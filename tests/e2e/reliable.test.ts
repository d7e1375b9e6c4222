import { expect, test } from "vitest";
import { useFaultyDemo } from "./harness/demo";
import { screenshot } from "./harness/screenshot";
import type { Processed } from "./harness/server";

const demo = useFaultyDemo();

test("a message shows how far it has come: sending, sent, delivered, read", async () => {
  const { page, ada, grace } = demo();
  const becomes = (delivery: string) => expect.poll(() => ada.deliveries()).toEqual([delivery]);
  await ada.press("disconnect");
  await grace.press("disconnect");
  await Promise.all([ada.reaches("idle"), grace.reaches("idle")]);
  await ada.write("step by step");
  await becomes("Sending");
  await expect.poll(() => ada.queued()).toBe("1");
  await ada.press("reconnect");
  await becomes("Sent");
  await expect.poll(() => ada.queued()).toBe("0");
  await page.emulateMedia({ reducedMotion: "reduce" });
  await screenshot(page, "sent");
  await grace.press("reconnect");
  await becomes("Delivered");
  await becomes("Read");
  await expect.poll(() => grace.messages()).toEqual(["step by step"]);
});

test("what was written offline is queued, survives a reload, and is delivered once", async () => {
  const { page, guard, ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  const offline = ["one", "two", "three"];
  await guard.duringOutage(async () => {
    await page.getByTestId("toggle-network").click();
    await ada.says(/^Offline: waiting for the network/);
    for (const content of offline) await ada.write(content);
    await expect.poll(() => ada.deliveries()).toEqual(["Read", "Sending", "Sending", "Sending"]);
    await expect.poll(() => ada.queued()).toBe("3");
    await page.reload();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["before", ...offline]);
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read", "Read", "Read"]);
  await expect.poll(() => ada.messages()).toEqual(["before", ...offline]);
  await expect.poll(() => ada.queued()).toBe("0");
  await page.reload();
  await expect.poll(() => grace.messages()).toEqual(["before", ...offline]);
  await expect.poll(() => ada.messages()).toEqual(["before", ...offline]);
});

test("what is under way when the page is reloaded is delivered once", async () => {
  const { page, server, proxy, guard, ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  const heard = ["heard, not acknowledged", "heard, too"];
  const unheard = ["not heard", "not heard either"];
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "swallow", direction: "down" });
    for (const content of heard) await ada.write(content);
    await expect.poll(() => server.processed(ada.userId).then(sent)).toEqual(["before", ...heard]);
    await proxy.rule({ fault: "swallow", direction: "up" });
    for (const content of unheard) await ada.write(content);
    await expect.poll(() => ada.deliveries()).toEqual(["Read", ...Array(4).fill("Sending")]);
    // They have left the queue, and nobody has acknowledged them.
    await expect.poll(() => ada.queued()).toBe("0");
    await proxy.heal();
    await page.reload();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  const all = ["before", ...heard, ...unheard];
  await expect.poll(() => grace.messages()).toEqual(all);
  await expect.poll(() => ada.messages()).toEqual(all);
  expect(sent(await server.processed(ada.userId))).toEqual(all);
  await expect.poll(() => ada.queued()).toBe("0");
});

test("what the server has not heard is shown after a reload, before anybody has heard it", async () => {
  const { page, proxy, guard, ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "swallow", direction: "up" });
    await ada.write("not heard");
    await expect.poll(() => ada.deliveries()).toEqual(["Read", "Sending"]);
    let isServerSilent = true;
    await page.routeWebSocket(/\/api\/ws/, (socket) => {
      if (!isServerSilent) socket.connectToServer();
    });
    await proxy.heal();
    await page.reload();
    await expect.poll(() => ada.messages()).toContain("not heard");
    await expect.poll(() => ada.deliveries()).toContain("Sending");
    isServerSilent = false;
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read"]);
  for (const person of [ada, grace]) await expect.poll(() => person.messages()).toEqual(["before", "not heard"]);
});

test("what a closed tab could not send is sent by the next one", async () => {
  const { page, ada, openTab } = demo();
  await ada.press("disconnect");
  await ada.reaches("idle");
  await ada.write("left behind");
  await expect.poll(() => ada.deliveries()).toEqual(["Sending"]);
  await expect.poll(() => ada.queued()).toBe("1");
  await stored(1);
  const next = await openTab();
  await expect.poll(() => next.grace.messages()).toEqual([]);
  await page.close();
  const last = await openTab();
  await expect.poll(() => last.grace.messages()).toEqual(["left behind"]);
  await expect.poll(() => next.ada.messages()).toEqual(["left behind"]);

  /** Waits until so many messages are on disk. */
  async function stored(count: number): Promise<void> {
    const keys = () =>
      page.evaluate(
        () =>
          new Promise<number>((resolve, reject) => {
            const opening = indexedDB.open("everwire");
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
              const database = opening.result;
              const asked = database.transaction("messages").objectStore("messages").getAllKeys();
              asked.onsuccess = () => {
                database.close();
                resolve(asked.result.filter((key) => Array.isArray(key) && key.length > 1).length);
              };
            };
          }),
      );
    await expect.poll(keys).toBe(count);
  }
});

test("two tabs are two clients, and each sees what the other writes once", async () => {
  const { ada, grace, openTab } = demo();
  const second = await openTab();
  await ada.write("from the first tab");
  await expect.poll(() => second.ada.messages()).toEqual(["from the first tab"]);
  await second.ada.write("from the second tab");
  const both = ["from the first tab", "from the second tab"];
  for (const pane of [ada, grace, second.ada, second.grace]) {
    await expect.poll(() => pane.messages()).toEqual(both);
    await expect.poll(() => pane.part("log").locator("[data-event=close]").count()).toBe(0);
  }
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read"]);
  await expect.poll(() => second.ada.deliveries()).toEqual(["Read", "Read"]);
});

test("what the server had no time to acknowledge is sent again, and processed once", async () => {
  const { server, proxy, guard, ada, grace } = demo();
  const contents = Array.from({ length: 8 }, (_, index) => `under way, ${index + 1}`);
  await guard.duringOutage(async () => {
    // The server hears of these and cannot answer.
    await proxy.rule({ fault: "swallow", direction: "down" });
    for (const content of contents) await ada.write(content);
    await expect.poll(() => server.processed(ada.userId).then(sent)).toEqual(contents);
    await expect.poll(() => ada.deliveries()).toEqual(contents.map(() => "Sending"));
    await expect.poll(() => ada.queued()).toBe("0");
    await server.kill();
    await proxy.heal();
    await server.restart();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(contents);
  await expect.poll(() => ada.deliveries()).toEqual(contents.map(() => "Read"));
  expect(sent(await server.processed(ada.userId))).toEqual(contents);
});

test("a gap is told, and the conversation is fetched", async () => {
  const { page, ada, grace } = demo();
  await grace.press("disconnect");
  await grace.reaches("idle");
  const missed = ["one", "two", "three"];
  for (const content of missed) await ada.write(content);
  await expect.poll(() => ada.deliveries()).toEqual(missed.map(() => "Sent"));
  await grace.breaks("forget-history");
  await grace.press("reconnect");
  await grace.part("gap").filter({ hasText: "3 events are missing" }).waitFor();
  await grace.logs("gap", /events \d+ to \d+/);
  await expect.poll(() => grace.messages()).toEqual(missed);
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "gap");
  await grace.part("gap").getByRole("button").click();
  await grace.part("gap").waitFor({ state: "detached" });
  await expect.poll(() => ada.part("gap").count()).toBe(0);
});

/** The messages that the server has taken, in order. */
function sent(processed: readonly Processed[]): string[] {
  const taken = processed.filter(({ type, refused }) => type === "send_message" && refused === undefined);
  return taken.map(({ data }) => data.content ?? "");
}
