import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { Pane } from "./harness/pane";
import type { Server } from "./harness/server";
import { useSite } from "./harness/site";

const site = useSite();

/** What the limit for typing is, in milliseconds from the key to the other's eyes. */
const TYPING_MS = 500;

test("the match in two browsers: typing, message, receipts, and an offline sender whose messages arrive once", async () => {
  const { server } = site();
  const session = newSession();
  const [ada, grace] = [
    await open(`session=${session}&person=ada`, "ada"),
    await open(`session=${session}&person=grace`, "grace"),
  ];
  await expect.poll(() => ada.pane.part("presence").getAttribute("data-presence")).toBe("online");
  await expect.poll(() => grace.pane.part("presence").getAttribute("data-presence")).toBe("online");
  await expectTypingSeen(ada, grace, /Ada is typing/);
  await expectTypingSeen(grace, ada, /Grace is typing/);

  await ada.pane.write("Shall we pair?");
  await expect.poll(() => grace.pane.messages()).toEqual(["Shall we pair?"]);
  await expect.poll(() => ada.pane.deliveries()).toEqual(["Read"]);
  await grace.pane.write("Gladly.");
  await expect.poll(() => ada.pane.messages()).toEqual(["Shall we pair?", "Gladly."]);
  await expect.poll(() => grace.pane.deliveries()).toEqual(["Read"]);

  const offline = ["from the tunnel", "still in the tunnel", "out again"];
  await whileOffline(ada, async () => {
    for (const content of offline) await ada.pane.write(content);
    await expect.poll(() => ada.pane.deliveries()).toEqual(["Read", "Sending", "Sending", "Sending"]);
    await expect.poll(() => ada.pane.queued()).toBe("3");
    await grace.pane.write("Where are you?");
    await expect.poll(() => grace.pane.messages()).toEqual(["Shall we pair?", "Gladly.", "Where are you?"]);
  });
  const all = ["Shall we pair?", "Gladly.", "Where are you?", ...offline];
  for (const side of [ada, grace]) await expect.poll(() => side.pane.messages()).toEqual(all);
  await expect.poll(() => ada.pane.deliveries()).toEqual(["Read", "Read", "Read", "Read"]);
  await expect.poll(() => grace.pane.deliveries()).toEqual(["Read", "Read"]);
  await expect.poll(() => contents(server, ada.pane.userId, "send_message")).toEqual(["Shall we pair?", ...offline]);
  for (const side of [ada, grace]) await expect.poll(() => side.pane.messages()).toEqual(all);
});

test("the lesson on two devices: typing, message and emotion on both, and what was written offline is answered once", async () => {
  const { server } = site();
  const session = newSession();
  const lesson = `view=lesson&session=${session}`;
  const [phone, laptop] = [
    await open(`${lesson}&device=phone`, "phone"),
    await open(`${lesson}&device=laptop`, "laptop"),
  ];
  await expect.poll(() => phone.page.getByTestId("pane-laptop").count()).toBe(0);
  await expectTypingSeen(phone, laptop, /Lea is typing on another device/);

  await phone.pane.write("I'm so excited about this!");
  for (const { pane } of [phone, laptop]) {
    await expect.poll(() => pane.messages()).toHaveLength(2);
    await expect.poll(() => pane.part("message-emotion").allInnerTexts()).toEqual(["Excitement"]);
    await expect.poll(() => pane.part("message").last().getAttribute("aria-busy")).toBe("false");
    await expect.poll(() => pane.deliveries()).toEqual(["Sent"]);
  }
  const before = await phone.pane.messages();

  await whileOffline(phone, async () => {
    await phone.pane.write("Thank you!");
    await expect.poll(() => phone.pane.deliveries()).toEqual(["Sent", "Sending"]);
    await expect.poll(() => laptop.pane.messages()).toEqual(before);
  });
  for (const { pane } of [phone, laptop]) {
    await expect.poll(() => pane.messages()).toHaveLength(4);
    await expect.poll(() => pane.part("message-emotion").allInnerTexts()).toEqual(["Excitement", "Gratitude"]);
    await expect.poll(() => pane.part("message").last().getAttribute("aria-busy")).toBe("false");
  }
  expect((await phone.pane.messages()).slice(0, 3)).toEqual([...before, "Thank you!"]);
  await expect.poll(() => laptop.pane.messages()).toEqual(await phone.pane.messages());
  await expect
    .poll(() => contents(server, `lea-${session}`, "message_sent"))
    .toEqual(["I'm so excited about this!", "Thank you!"]);
});

declare global {
  interface Window {
    moment: Promise<number>;
  }
}

/** A client in a browser of its own. */
interface Side {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly pane: Pane;
}

const newSession = () => `flow${Math.random().toString(36).slice(2, 10)}`;

async function open(query: string, key: ConstructorParameters<typeof Pane>[1]): Promise<Side> {
  const context = await site().newContext();
  const { page } = await site().open(`/?${query}`, context);
  const pane = new Pane(page, key, new URLSearchParams(query).get("session") ?? "");
  await pane.reaches("open");
  return { page, context, pane };
}

/** The browser of one side has no network meanwhile. */
async function whileOffline({ context, pane }: Side, part: () => Promise<void>): Promise<void> {
  await context.setOffline(true);
  await pane.reaches("offline");
  await part();
  await context.setOffline(false);
  await pane.reaches("open");
}

/** Measures in the two pages, by the clock that they share, how long after a key the other one shows it. Most of five rounds must be in time: a busy machine may be late with one. */
async function expectTypingSeen(writer: Side, reader: Side, words: RegExp): Promise<void> {
  const took: number[] = [];
  for (let round = 0; round < 5; round++) {
    await expect.poll(() => reader.pane.part("typing").innerText()).toBe("");
    await reader.page.evaluate((source) => {
      const line = document.querySelector("[data-testid=typing]");
      window.moment = new Promise((resolve) => {
        const look = () => {
          if (new RegExp(source).test(line?.textContent ?? "")) resolve(performance.timeOrigin + performance.now());
        };
        if (line) new MutationObserver(look).observe(line, { characterData: true, childList: true, subtree: true });
      });
    }, words.source);
    const input = writer.pane.part("composer-input");
    await input.evaluate((field) => {
      window.moment = new Promise((resolve) => {
        const take = ({ timeStamp }: Event) => resolve(performance.timeOrigin + timeStamp);
        field.addEventListener("keydown", take, { once: true });
      });
    });
    await input.press("x");
    const [seen, pressed] = await Promise.all([reader, writer].map(({ page }) => page.evaluate(() => window.moment)));
    took.push(Number(seen) - Number(pressed));
    await input.fill("");
  }
  console.log(`typing seen after ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  expect(took.sort((a, b) => a - b)[2]).toBeLessThan(TYPING_MS);
}

/** The messages that a user has sent and the server has taken, in order. */
async function contents(server: Server, userId: string, type: string): Promise<string[]> {
  const taken = (await server.processed(userId)).filter(
    (message) => message.type === type && message.refused === undefined,
  );
  return taken.map(({ data }) => data.content ?? (data.message as { content?: string } | undefined)?.content ?? "");
}
