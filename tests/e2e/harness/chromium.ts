import { type Browser, chromium } from "playwright-core";
import { chromiumProgram } from "./environment";

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumProgram(), args: CHROMIUM_FLAGS });

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
