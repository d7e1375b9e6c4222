import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useLesson } from "./harness/lesson";
import type { Pane } from "./harness/pane";
import { screenshot } from "./harness/screenshot";

const lesson = useLesson();

const feelings = (pane: Pane) => pane.part("message-emotion").allInnerTexts();
const feeling = (pane: Pane) => pane.part("emotion-primary").innerText();
const EXCITED = "I'm so excited about this!";
const ANSWER = "That is great to hear! Let us use it: which part would you like to try first?";

test("excitement takes the widget from neutral to excitement within two seconds, and its message has it on both devices", async () => {
  const { page, phone, laptop } = lesson();
  await phone.write("The third exercise.");
  for (const device of [phone, laptop]) {
    await expect.poll(() => feeling(device)).toBe("Neutral");
    await expect.poll(() => device.messages()).toHaveLength(2);
    await expect.poll(() => device.part("message").last().getAttribute("aria-busy")).toBe("false");
  }

  await observe(page, "Excitement");
  await phone.write(EXCITED);
  for (const device of [phone, laptop]) {
    await expect.poll(() => feelings(device)).toEqual(["Neutral", "Excitement"]);
    const excited = device.part("message").filter({ hasText: EXCITED });
    await expect.poll(() => excited.getByTestId("message-emotion").innerText()).toBe("Excitement");
  }
  await expect.poll(() => laptop.part("message").filter({ hasText: EXCITED }).getAttribute("data-author")).toBe("me");
  const took = await page.evaluate(() => window.excitedAfterMs);
  expect(took).toHaveLength(2);
  for (const ms of took) expect(ms).toBeLessThan(2_000);
  await expect.poll(() => laptop.messages()).toEqual(await phone.messages());
});

test("the tutor's answer begins with thinking, grows, and comes whole, once, on both devices", async () => {
  const { page, phone, laptop } = lesson();
  const seen = await watchAnswer(page, "laptop");
  await phone.write(EXCITED);
  for (const device of [phone, laptop]) await expect.poll(() => device.messages()).toEqual([EXCITED, ANSWER]);
  await expect.poll(() => laptop.part("message").last().getAttribute("aria-busy")).toBe("false");
  await expect.poll(() => phone.messages()).toEqual([EXCITED, ANSWER]);

  const [thinking, ...written] = await seen();
  expect(thinking).toBe("thinking…");
  expect(written.length).toBeGreaterThan(1);
  for (const part of written) expect(ANSWER.startsWith(part)).toBe(true);
  const lengths = written.map((part) => part.length);
  expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
  await screenshot(page, "lesson");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "lesson-dark");
  await page.setViewportSize({ width: 375, height: 800 });
  await screenshot(page, "lesson-mobile");
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test("the chat endpoint answers when its pushes fail, and the emotion comes with the answer", async () => {
  const { page, phone, laptop } = lesson();
  await page.getByTestId("fail-pushes").click();
  await page.getByTestId("fail-pushes").filter({ hasText: "Let pushes through" }).waitFor();
  await phone.write(EXCITED);
  await expect.poll(() => phone.messages()).toEqual([EXCITED, ANSWER]);
  await expect.poll(() => feelings(phone)).toEqual(["Excitement"]);
  await expect.poll(() => feeling(phone)).toBe("Excitement");
  // The other device has the messages, and was not reached by the emotion.
  await expect.poll(() => laptop.messages()).toEqual([EXCITED, ANSWER]);
  await expect.poll(() => feelings(laptop)).toEqual([]);

  await page.getByTestId("fail-pushes").click();
  await page.getByTestId("fail-pushes").filter({ hasText: "Fail pushes" }).waitFor();
  await laptop.write("Thank you!");
  await expect.poll(() => feeling(phone)).toBe("Gratitude");
  await expect.poll(() => feeling(laptop)).toBe("Gratitude");
});

test("an answer that a lost connection cuts off is whole all the same, once, on both devices", async () => {
  const { server, learnerId, phone, laptop } = lesson();
  await phone.write(EXCITED);
  await expect.poll(() => laptop.messages()).toHaveLength(2);
  await server.ask("POST", "drop", { user_id: learnerId });
  for (const device of [phone, laptop]) {
    await device.logs("close", /code 1006/);
    await device.reaches("open");
    await expect.poll(() => device.messages()).toEqual([EXCITED, ANSWER]);
    await expect.poll(() => device.root.locator("[aria-busy=true]").count()).toBe(0);
  }
  await laptop.write("Thank you!");
  for (const device of [phone, laptop]) await expect.poll(() => device.messages()).toHaveLength(4);
  expect((await phone.messages()).slice(0, 3)).toEqual([EXCITED, ANSWER, "Thank you!"]);
});

test("typing on one device shows on the other one only", async () => {
  const { phone, laptop } = lesson();
  await phone.type("Let me think");
  await laptop.part("typing").filter({ hasText: "Lea is typing on another device" }).waitFor();
  await expect.poll(() => phone.part("typing").innerText()).toBe("");
  await expect.poll(() => laptop.part("typing").innerText()).toBe("");
});

test("what was written while the server was away is answered when it is back, on both devices", async () => {
  const { server, guard, phone, laptop } = lesson();
  await guard.duringOutage(async () => {
    await server.kill();
    await Promise.all([phone.says(/^Reconnecting/), laptop.says(/^Reconnecting/)]);
    await phone.write(EXCITED);
    await expect.poll(() => phone.deliveries()).toEqual(["Sending"]);
    await expect.poll(() => phone.queued()).toBe("1");
    await server.restart();
    await Promise.all([phone.reaches("open"), laptop.reaches("open")]);
  });
  for (const device of [phone, laptop]) {
    await expect.poll(() => device.messages()).toEqual([EXCITED, ANSWER]);
    await expect.poll(() => feelings(device)).toEqual(["Excitement"]);
  }
});

test("an emotion update fills the emotion widget of the right learner, on every device", async () => {
  const { page, phone, laptop, openOther } = lesson();
  const other = await openOther();
  for (const device of [phone, laptop, other]) await expect.poll(() => feeling(device)).toBe("No reading yet");
  await page.getByTestId("push-emotion-lea").click();
  for (const device of [phone, laptop]) {
    await expect.poll(() => feeling(device)).toMatch(/^[A-Z][a-z ]+$/);
    await expect.poll(() => device.part("emotion").innerText()).not.toContain("No reading yet");
    await expect
      .poll(() => device.part("emotion").getByRole("img").getAttribute("aria-label"))
      .toMatch(/^Pleasure -?\d\.\d+, arousal -?\d\.\d+/);
  }
  await expect.poll(() => feeling(other)).toBe("No reading yet");
});

test("a session that is not shown goes on: its answer waits as new, and each session has its own messages", async () => {
  const { phone, laptop } = lesson();
  const [first, second] = [phone.part("session-1"), phone.part("session-2")];
  await phone.write(EXCITED);
  await second.click();
  await expect.poll(() => first.innerText()).toMatch(/1 new/);
  await expect.poll(() => phone.messages()).toEqual([]);
  await phone.write("Thank you!");
  await expect.poll(() => phone.messages()).toHaveLength(2);
  expect((await phone.messages())[0]).toBe("Thank you!");
  // The other device shows the first session, and is told of the second.
  await expect.poll(() => laptop.messages()).toEqual([EXCITED, ANSWER]);
  await expect.poll(() => laptop.part("session-2").innerText()).toMatch(/1 new/);

  await first.click();
  await expect.poll(() => phone.messages()).toEqual([EXCITED, ANSWER]);
  await expect.poll(() => feelings(phone)).toEqual(["Excitement"]);
  await expect.poll(() => first.innerText()).not.toMatch(/new/);
});

declare global {
  interface Window {
    excitedAfterMs: number[];
  }
}

/** Measures, in the page, how long after the next message is sent each widget shows the word. */
async function observe(page: Page, word: string): Promise<void> {
  await page.evaluate((expected) => {
    window.excitedAfterMs = [];
    document.addEventListener(
      "submit",
      () => {
        const sent = performance.now();
        for (const widget of document.querySelectorAll("[data-testid=emotion-primary]")) {
          const observer = new MutationObserver(() => {
            if (widget.textContent !== expected) return;
            window.excitedAfterMs.push(performance.now() - sent);
            observer.disconnect();
          });
          observer.observe(widget, { characterData: true, childList: true, subtree: true });
        }
      },
      { once: true, capture: true },
    );
  }, word);
}

/** Collects every text that the last message of a device has had from now on, unless it is the learner's. */
async function watchAnswer(page: Page, device: string): Promise<() => Promise<string[]>> {
  await page.evaluate((key) => {
    const texts: string[] = [];
    const pane = document.querySelector(`[data-testid=pane-${key}] [role=log]`);
    const look = () => {
      const contents = pane?.querySelectorAll("[data-author=peer] [data-testid=message-content]") ?? [];
      const text = [...contents].at(-1)?.textContent ?? "";
      if (text !== "" && text !== texts.at(-1)) texts.push(text);
    };
    if (pane) new MutationObserver(look).observe(pane, { characterData: true, childList: true, subtree: true });
    Object.assign(window, { answerTexts: texts });
  }, device);
  return () => page.evaluate(() => (window as unknown as { answerTexts: string[] }).answerTexts);
}
