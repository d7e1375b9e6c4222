import { env } from "node:process";
import { chromium } from "playwright-core";

/** Starts the Chromium that xtask has found, with nothing of its own to do. */
export function launch() {
  return chromium.launch({
    ...(env.CHROMIUM ? { executablePath: env.CHROMIUM } : {}),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/** Opens a page, evaluates `measure` in it once the global function of that name is there, and closes the page. */
export async function inFreshPage(browser, origin, name, argument) {
  const page = await openPage(browser, origin, name);
  const measured = await page.evaluate(([name, argument]) => window[name](argument), [name, argument]);
  await page.context().close();
  return measured;
}

/** Opens a page that shares nothing with others, and waits for the global function `name`. */
export async function openPage(browser, origin, name) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(origin);
  await page.waitForFunction((name) => name in window, name);
  return page;
}
