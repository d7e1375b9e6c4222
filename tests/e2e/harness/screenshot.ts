import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

/** Keeps a picture of the whole page, taken when its colours have stopped changing. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await page.waitForFunction(() => document.getAnimations().every((running) => !(running instanceof CSSTransition)));
  await page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: true });
}

const FOLDER = fileURLToPath(new URL("../../../target/e2e", import.meta.url));
