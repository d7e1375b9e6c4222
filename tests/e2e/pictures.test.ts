import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { Pane } from "./harness/pane";
import { useSite } from "./harness/site";
import { smallPng } from "./harness/smallPng";

// The README's pictures. `EVERWIRE_PICTURES=1 cargo xtask test e2e` takes them anew.
const picture = test.runIf(env["EVERWIRE_PICTURES"] === "1");
const site = useSite();

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const MOST_BYTES = 120_000;

picture("the match: one side has come back from an outage, the other types", async () => {
  const { page, guard } = await site().open("/?session=k7m2pq");
  const [ada, grace] = [new Pane(page, "ada", "k7m2pq"), new Pane(page, "grace", "k7m2pq")];
  await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  // Pauses, so that the timeline has something to tell.
  await page.waitForTimeout(6_000);
  await ada.write("Hi Grace! Did the compiler run?");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await page.waitForTimeout(3_000);
  await grace.write("It did. There was a moth in the relay.");
  await expect.poll(() => grace.deliveries()).toEqual(["Read"]);
  await page.waitForTimeout(4_000);
  await guard.duringOutage(async () => {
    await ada.breaks("close-connection");
    await ada.reaches("open");
    await page.waitForTimeout(5_000);
    await page.getByTestId("toggle-network").click();
    await Promise.all([ada.reaches("offline"), grace.reaches("offline")]);
    await ada.write("A bug, then! Greetings from a tunnel.");
    await page.waitForTimeout(7_000);
    await page.getByTestId("toggle-network").click();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
    await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read"]);
    await page.waitForTimeout(4_000);
    await grace.breaks("drop-connection");
    await grace.says(/^Reconnecting/);
    await grace.write("We should keep it in the log book.");
    await ada.type("Yes");
    await page.mouse.move(0, 0);
    await take(page, "match");
  });
});

picture("the lesson in dark: a feeling on both devices, and an answer that is being written", async () => {
  const { page } = await site().open("/?view=lesson&session=k7m2pq");
  const [phone, laptop] = [new Pane(page, "phone", "k7m2pq"), new Pane(page, "laptop", "k7m2pq")];
  await page.emulateMedia({ colorScheme: "dark" });
  await Promise.all([phone.reaches("open"), laptop.reaches("open")]);
  for (const [pane, content, count] of [
    [phone, "The third exercise.", 2],
    [laptop, "I'm so excited about this!", 4],
  ] as const) {
    await page.waitForTimeout(3_000);
    await pane.write(content);
    await expect.poll(() => phone.messages()).toHaveLength(count);
    await expect.poll(() => phone.part("message").last().getAttribute("aria-busy")).toBe("false");
  }
  await phone.part("session-2").click();
  await page.waitForTimeout(3_000);
  await laptop.write("This is confusing.");
  await laptop.part("typing").filter({ hasText: "Tutor is typing" }).waitFor();
  await laptop.part("message").last().filter({ hasText: "slowly" }).waitFor();
  await page.mouse.move(0, 0);
  await take(page, "lesson");
});

picture("the match on a phone", async () => {
  const { page } = await site().open("/?session=n4r8tx&person=ada");
  const other = await site().open("/?session=n4r8tx&person=grace");
  const [ada, grace] = [new Pane(page, "ada", "n4r8tx"), new Pane(other.page, "grace", "n4r8tx")];
  await page.setViewportSize({ width: 375, height: 760 });
  await page.reload();
  await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  await grace.write("Are you there?");
  await expect.poll(() => ada.messages()).toHaveLength(1);
  await page.waitForTimeout(3_000);
  await ada.write("On the train. Tunnels ahead!");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await page.waitForTimeout(3_000);
  await grace.type("Then");
  await ada.part("typing").filter({ hasText: "Grace is typing" }).waitFor();
  await page.getByTestId("pane-ada").evaluate((pane) => pane.scrollIntoView({ block: "start" }));
  await take(page, "phone");
});

test.each(["match", "lesson", "phone"])(
  "the README shows the picture %s, says what is on it, and it is small",
  (name) => {
    const readme = readFileSync(README, "utf8");
    const [, alt = ""] = new RegExp(`<img src="docs/images/${name}\\.png"[^>]* alt="([^"]+)"`).exec(readme) ?? [];
    expect(alt.length).toBeGreaterThan(40);
    expect(statSync(`${FOLDER}${name}.png`).size).toBeLessThanOrEqual(MOST_BYTES);
  },
);

async function take(page: Page, name: string): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((running) => !(running instanceof CSSTransition)));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}${name}.png`, smallPng(await page.screenshot({ fullPage: name !== "phone" })));
}
