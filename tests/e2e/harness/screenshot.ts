import type { Page } from "playwright-core";
import { artefact } from "./artefact";

/** Keeps a picture of the whole page, taken when its colours have stopped changing. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((running) => !(running instanceof CSSTransition)));
  await page.screenshot({ path: artefact(`${name}.png`), fullPage: true });
}
