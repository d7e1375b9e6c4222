import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";

const demo = useDemo();

test("each fault on the panel says what it does, and its buttons say whom it hits", async () => {
  const { page } = demo();
  const faults = page.getByTestId("faults").getByRole("listitem");
  await expect.poll(() => faults.count()).toBe(8);
  for (const fault of await faults.all()) {
    const name = await fault.getByRole("heading").innerText();
    await expect.poll(() => fault.locator("p").innerText()).toMatch(/^[A-Z].{20,}\.$/s);
    const buttons = fault.getByRole("group", { name, exact: true }).getByRole("button");
    await expect.poll(() => buttons.count()).toBeGreaterThan(0);
    for (const button of await buttons.all()) await expect.poll(() => button.innerText()).toMatch(/^[A-Z]/);
  }
});

test("the panel is folded away on a narrow screen, and opens with the keyboard", async () => {
  const { page } = demo();
  await page.setViewportSize({ width: 375, height: 800 });
  await page.reload();
  const panel = page.getByTestId("faults");
  await panel.waitFor();
  await expect.poll(() => page.getByTestId("slow-link").isVisible()).toBe(false);
  await panel.locator("summary").focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("slow-link").waitFor();
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test("a refused token is followed by a fresh one, and the connection goes on", async () => {
  const { ada, grace } = demo();
  await ada.breaks("refuse-token");
  await ada.logs("close", /code 1008/);
  await ada.reaches("open");
  await ada.write("with a fresh token");
  await expect.poll(() => grace.messages()).toEqual(["with a fresh token"]);
  await expect.poll(() => grace.part("log").locator("[data-event=close]").count()).toBe(0);
});

test("a slow link delays everything in both directions, and breaks nothing", async () => {
  const { page, ada, grace } = demo();
  await page.getByTestId("slow-link").click();
  await page.getByTestId("slow-link").filter({ hasText: "Full speed" }).waitFor();
  const written = ["one", "two", "three"];
  const started = performance.now();
  for (const content of written) await ada.write(content);
  await expect.poll(() => grace.messages()).toContain("one");
  expect(performance.now() - started).toBeGreaterThanOrEqual(1_200);
  await expect.poll(() => grace.messages()).toEqual(written);
  await expect.poll(() => ada.part("rtt").innerText()).toMatch(/^1\d\d\d ms$/);
  await page.getByTestId("slow-link").click();
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read", "Read"]);
  await expect.poll(() => ada.part("rtt").innerText()).toMatch(/^(< 1|\d{1,3}) ms$/);
  for (const pane of [ada, grace])
    await expect.poll(() => pane.part("log").locator("[data-event=close]").count()).toBe(0);
});

test("a client whose server goes away politely comes back", async () => {
  const { ada, grace } = demo();
  await grace.breaks("close-connection");
  await grace.logs("close", /server going away, code 1001/);
  await grace.reaches("open");
  await ada.write("welcome back");
  await expect.poll(() => grace.messages()).toEqual(["welcome back"]);
});
