import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { launchChromium } from "./chromium";
import { ConsoleGuard } from "./consoleGuard";
import { FaultProxy } from "./faultProxy";
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

/** The demo with the fault proxy between browser and server. */
export interface FaultyDemo extends Demo {
  readonly proxy: FaultProxy;
}

/** As {@link useDemo}, with everything that the page loads and says passing through the fault proxy. */
export function useFaultyDemo(): () => FaultyDemo {
  let proxy: FaultProxy | undefined;
  const demo = useDemo(async (server) => {
    proxy = await FaultProxy.start(server.origin);
    return proxy.origin;
  });
  afterEach(() => proxy?.heal());
  afterAll(() => proxy?.stop());
  return () => ({ ...demo(), proxy: present(proxy) });
}

/** Starts a server and a browser for the tests of a file; the returned function gives the demo of the running test. */
export function useDemo(front = async (server: Server) => server.origin): () => Demo {
  let origin: string | undefined;
  let server: Server | undefined;
  let browser: Browser | undefined;
  let demo: Demo | undefined;

  beforeAll(async () => {
    server = await Server.start();
    origin = await front(server);
    browser = await launchChromium();
  });

  beforeEach(async () => {
    demo = await openDemo(present(server), present(browser), present(origin));
    await Promise.all([demo.ada.reaches("open"), demo.grace.reaches("open")]);
  });

  afterEach(async () => {
    await demo?.page.close();
    demo?.guard.assertQuiet();
    demo = undefined;
  });

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
  });

  return () => present(demo);
}

async function openDemo(server: Server, browser: Browser, origin: string): Promise<Demo> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const guard = new ConsoleGuard(page);
  await page.goto(origin);
  const session = await page.getByTestId("session").innerText();
  return { server, page, guard, ada: new Pane(page, "ada", session), grace: new Pane(page, "grace", session) };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the demo exists only while a test runs");
  return value;
}
