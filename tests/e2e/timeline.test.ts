import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";
import type { Pane } from "./harness/pane";
import { screenshot } from "./harness/screenshot";

const demo = useDemo();

test("the timeline tells with the arrow keys what the connection went through, and what passed over it", async () => {
  const { page, guard, ada, grace } = demo();
  await ada.write("one");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await ada.breaks("close-connection");
  await ada.logs("close", /server going away, code 1001/);
  await ada.reaches("open");
  await guard.duringOutage(async () => {
    await page.getByTestId("toggle-network").click();
    await ada.reaches("offline");
    await ada.write("two");
    await page.getByTestId("toggle-network").filter({ hasText: "Back online" }).click();
    await ada.reaches("open");
  });
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read"]);
  await screenshot(page, "timeline");

  const told = await tell(ada);
  for (const words of [
    /^Connected, for \d+\.\d s from \d\d:\d\d:\d\d$/,
    /^Sent “one”, \d\d:\d\d:\d\d$/,
    /^The server has “one”/,
    /^Closed: server going away, code 1001/,
    /^Reconnecting: attempt 1 of 5, for/,
    /^Offline: waiting for the network, for/,
    /^Written “two”, to be sent/,
    /^The server has “two”/,
    /^Connected, since/,
  ]) {
    expect(told.filter((item) => words.test(item)).length, `${words} in ${told.join("\n")}`).toBeGreaterThan(0);
  }
  const order = [/^Sent “one”/, /^Closed: server going away/, /^Offline/, /^Written “two”/, /^The server has “two”/];
  const places = order.map((words) => told.findIndex((item) => words.test(item)));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  const heard = await tell(grace);
  for (const content of ["one", "two"])
    expect(heard.filter((item) => item.startsWith(`Received “${content}”`))).toHaveLength(1);
  expect(heard.filter((item) => item.startsWith("Sent"))).toEqual([]);
});

test("hovering tells one mark, and Escape and leaving bring the legend back", async () => {
  const { page, ada, grace } = demo();
  await ada.write("hello");
  await expect.poll(() => grace.messages()).toEqual(["hello"]);
  const words = grace.part("timeline-words");
  await expect.poll(() => words.innerText()).toMatch(/sent\s+confirmed\s+received\s+closed/);
  await grace.part("timeline").locator(".timeline-strip [data-mark=received]").hover();
  await expect.poll(() => words.innerText()).toMatch(/^Received “hello”/);
  await page.mouse.move(0, 0);
  await expect.poll(() => words.innerText()).toMatch(/^sent/);

  await strip(grace).focus();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => words.innerText()).toMatch(/^(Received|Connect)/);
  await page.keyboard.press("Escape");
  await expect.poll(() => words.innerText()).toMatch(/^sent/);
});

test("phases and marks differ in shape, not in colour alone", async () => {
  const { page, guard, ada } = demo();
  await ada.write("hello");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await guard.duringOutage(async () => {
    await ada.breaks("drop-connection");
    await ada.says(/^Reconnecting/);
    await ada.reaches("open");
    await page.getByTestId("toggle-network").click();
    await ada.reaches("offline");
    await expect.poll(() => ada.part("timeline").locator("[data-phase=offline]").count()).toBe(1);
    const drawn = await ada.part("timeline").evaluate((timeline) => {
      const looks = new Map<string, Set<string>>();
      const add = (what: string, look: string) => looks.set(what, (looks.get(what) ?? new Set()).add(look));
      for (const bar of timeline.querySelectorAll<HTMLElement>("[data-phase]")) {
        const { backgroundImage, borderTopWidth, borderBottomStyle } = getComputedStyle(bar);
        // Without the colours, which are all that is in parentheses.
        add(
          bar.dataset["phase"] ?? "",
          [backgroundImage.replace(/rgba?\([^)]*\)/g, ""), borderTopWidth, borderBottomStyle].join(),
        );
      }
      for (const mark of timeline.querySelectorAll(".timeline-strip [data-mark]")) {
        add(mark.getAttribute("data-mark") ?? "", mark.querySelector("path")?.getAttribute("d") ?? "");
      }
      return [...looks].map(([what, all]) => [what, [...all].join(" | ")] as const);
    });
    expect(drawn.map(([what]) => what)).toEqual(
      expect.arrayContaining(["open", "waiting", "offline", "sent", "acknowledged", "closed"]),
    );
    expect(new Set(drawn.map(([, look]) => look)).size).toBe(drawn.length);
    await page.getByTestId("toggle-network").click();
    await ada.reaches("open");
  });
});

test("who prefers less motion sees none", async () => {
  const { page, ada, grace } = demo();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await ada.type("Hm");
  await grace.part("typing").filter({ hasText: "Ada is typing" }).waitFor();
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
});

const strip = (pane: Pane) => pane.part("timeline").getByRole("slider");

/** Everything on a timeline, in words, from left to right. */
async function tell(pane: Pane): Promise<string[]> {
  const slider = strip(pane);
  await slider.press("Home");
  const items: string[] = [];
  for (let index = 0; ; index++) {
    const [at, last, words] = await Promise.all(
      ["aria-valuenow", "aria-valuemax", "aria-valuetext"].map((name) => slider.getAttribute(name)),
    );
    expect(Number(at)).toBe(index);
    await expect.poll(() => pane.part("timeline-words").innerText()).toBe(words);
    items.push(words ?? "");
    if (at === last) return items;
    await slider.press("ArrowRight");
  }
}
