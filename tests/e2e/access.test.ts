import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";

const demo = useDemo();

test("the tab key leads through a pane from the top, and its place is always visible", async () => {
  const { page } = demo();
  await page.locator("h1").click();
  const stops: string[] = [];
  for (let press = 0; press < 60 && stops.at(-1) !== "grace log"; press++) {
    await page.keyboard.press("Tab");
    const { name, outline } = await page.evaluate(() => {
      const focus = document.activeElement as HTMLElement;
      const pane = focus.closest<HTMLElement>(".pane")?.dataset["testid"]?.replace("pane-", "") ?? "page";
      const { outlineStyle, outlineWidth } = getComputedStyle(focus);
      return {
        name: `${pane} ${focus.dataset["testid"] ?? focus.classList[0]}`,
        outline: `${outlineStyle} ${outlineWidth}`,
      };
    });
    expect(outline, name).toBe("solid 2px");
    stops.push(name);
  }
  for (const who of ["ada", "grace"]) {
    expect(stops.filter((stop) => stop.startsWith(who))).toEqual(
      ["disconnect", "timeline-strip", "chat-scroll", "composer-input", "composer-send", "log"].map(
        (part) => `${who} ${part}`,
      ),
    );
  }
});

test("a message is written, sent with Enter and followed by another without the mouse", async () => {
  const { page, ada, grace } = demo();
  await ada.part("composer-input").focus();
  await page.keyboard.type("one");
  await page.keyboard.press("Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await expect.poll(() => grace.messages()).toEqual(["one", "two"]);
  await expect.poll(() => ada.part("composer-input").inputValue()).toBe("");
});

test("new messages are read out, and how far one's own have come is not", async () => {
  const { ada, grace } = demo();
  await ada.write("hello");
  const log = grace.root.getByRole("log");
  await expect.poll(() => log.getByRole("listitem").allInnerTexts()).toEqual([expect.stringMatching(/^Ada:\s*hello/)]);
  await expect
    .poll(() => ada.root.getByRole("log").locator("[aria-live=off]").getByTestId("message-delivery").count())
    .toBe(1);
});

test("a failed message can be tried again, and discarded, with the keyboard", async () => {
  const { page, ada } = demo();
  await ada.write("x".repeat(11_000));
  const failed = [expect.stringMatching(/^Not sent: /)];
  await expect.poll(() => ada.deliveries()).toEqual(failed);
  await ada.part("retry").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => ada.deliveries()).toEqual(failed);
  await ada.part("discard").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => ada.messages()).toEqual([]);
});

test.each(["light", "dark"] as const)(
  "every text has the contrast of WCAG AA in %s, in good times and in bad",
  async (colorScheme) => {
    const { page, guard, ada, grace } = demo();
    await page.emulateMedia({ colorScheme });
    await ada.write("hello");
    await ada.write("x".repeat(11_000));
    await expect.poll(() => grace.messages()).toEqual(["hello"]);
    await guard.duringOutage(async () => {
      await ada.breaks("drop-connection");
      await ada.says(/^Reconnecting/);
      await expect.poll(() => tooFaint(page)).toEqual([]);
      await ada.reaches("open");
      await page.getByTestId("toggle-network").click();
      await Promise.all([ada.reaches("offline"), grace.reaches("offline")]);
      await ada.write("from the tunnel");
      await expect.poll(() => tooFaint(page)).toEqual([]);
      await page.getByTestId("toggle-network").click();
      await ada.reaches("open");
    });
    await page.goto(`${new URL(page.url()).origin}/?view=lesson`);
    await page.getByTestId("push-emotion-lea").click();
    await page.getByTestId("pane-phone").getByTestId("composer-input").fill("I'm so excited about this!");
    await page.getByTestId("pane-phone").getByTestId("composer-send").click();
    await page.getByTestId("pane-laptop").getByTestId("message-emotion").waitFor();
    await expect.poll(() => tooFaint(page)).toEqual([]);
  },
);

/** The texts whose contrast with what is behind them is below 4.5, or 3 for large ones; those of disabled buttons may be. */
async function tooFaint(page: Page): Promise<string[]> {
  await page.waitForFunction(() => document.getAnimations().every((running) => !(running instanceof CSSTransition)));
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (canvas === null) return ["no canvas"];
    /** A colour of whatever notation, laid over another. */
    const over = (below: string, colour: string): string => {
      canvas.fillStyle = below;
      canvas.fillRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
      return `rgb(${r}, ${g}, ${b})`;
    };
    const luminance = (colour: string): number => {
      const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element | null): string =>
      element === null
        ? "rgb(255, 255, 255)"
        : over(behind(element.parentElement), getComputedStyle(element).backgroundColor);
    const faint: string[] = [];
    for (const element of document.body.querySelectorAll<HTMLElement>("*")) {
      const text = [...element.childNodes]
        .filter(({ nodeType }) => nodeType === Node.TEXT_NODE)
        .map((node) => node.textContent);
      if (
        text.join("").trim() === "" ||
        !element.checkVisibility() ||
        element.closest(".visually-hidden, :disabled, svg")
      )
        continue;
      const { color, fontSize, fontWeight } = getComputedStyle(element);
      const back = behind(element);
      const [a, b] = [luminance(over(back, color)), luminance(back)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const size = Number.parseFloat(fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
      if (contrast < (isLarge ? 3 : 4.5))
        faint.push(`${contrast.toFixed(2)} ${color} on ${back}: ${text.join("").slice(0, 40)}`);
    }
    return faint;
  });
}
