import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { ConsoleGuard } from "./consoleGuard";
import { chromiumProgram } from "./environment";
import { Pane } from "./pane";
import { Server } from "./server";

/** The demo, opened in a fresh page for every test, with both sides connected. */
export interface Demo {
  readonly server: Server;
  readonly page: Page;
  readonly guard: ConsoleGuard;
  readonly ada: Pane;
  readonly grace: Pane;
}

/** Starts a server and a browser for the tests of a file; the returned function gives the demo of the running test. */
export function useDemo(): () => Demo {
  let server: Server;
  let browser: Browser;
  let demo: Demo;

  beforeAll(async () => {
    server = await Server.start();
    browser = await chromium.launch({ executablePath: chromiumProgram(), args: CHROMIUM_FLAGS });
  });

  beforeEach(async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const guard = new ConsoleGuard(page);
    await page.goto(server.origin);
    const session = await page.getByTestId("session").innerText();
    demo = { server, page, guard, ada: new Pane(page, "ada", session), grace: new Pane(page, "grace", session) };
    await Promise.all([demo.ada.reaches("open"), demo.grace.reaches("open")]);
  });

  afterEach(async () => {
    await demo.page.close();
    demo.guard.assertQuiet();
  });

  afterAll(async () => {
    await browser.close();
    await server.kill();
  });

  return () => demo;
}

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
