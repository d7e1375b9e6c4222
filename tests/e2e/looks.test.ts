import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";
import { screenshot } from "./harness/screenshot";

const demo = useDemo();

test("the page is usable in light, in dark and at 375 pixels", async () => {
  const { page, ada, grace } = demo();
  await ada.write("Hi Grace! Did the compiler run?");
  await expect.poll(() => grace.messages()).toHaveLength(1);
  await grace.write("It did. There was a moth in the relay.");
  await expect.poll(() => ada.messages()).toHaveLength(2);
  await ada.write("A bug, then.");
  await expect.poll(() => grace.messages()).toHaveLength(3);
  await expect.poll(() => ada.part("rtt").innerText()).toMatch(/ms$/);
  await grace.type("One of many");
  await ada.part("typing").filter({ hasText: "Grace is typing" }).waitFor();

  await page.emulateMedia({ colorScheme: "light" });
  await screenshot(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "dark");
  await page.setViewportSize({ width: 375, height: 800 });
  await screenshot(page, "mobile");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});
