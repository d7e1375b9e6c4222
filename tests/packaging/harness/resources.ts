import { afterEach } from "vitest";

const closers: (() => unknown)[] = [];

/** Closes something when the running test has ended, last opened first. */
export function closeLater(close: () => unknown): void {
  closers.push(close);
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
