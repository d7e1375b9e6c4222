import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { launchChromium } from "./chromium";
import { ConsoleGuard } from "./consoleGuard";
import { builtPage } from "./environment";
import { FaultProxy } from "./faultProxy";
import { Pane } from "./pane";
import { Server } from "./server";

/** The demo, opened in a fresh page for every test, with both sides connected. */
export interface Demo extends DemoTab {
  readonly server: Server;
  /** Opens the same address in another tab of the same browser. */
  openTab(): Promise<DemoTab>;
}

/** A tab with the demo. */
export interface DemoTab {
  readonly page: Page;
  readonly guard: ConsoleGuard;
  readonly ada: Pane;
  readonly grace: Pane;
}

type Delivery = "reliable" | "at-most-once";

/** The demo with the fault proxy between browser and server. */
export interface FaultyDemo extends Demo {
  readonly proxy: FaultProxy;
}

/** As {@link useDemo}, with everything that the page loads and says passing through the fault proxy. */
export function useFaultyDemo(delivery?: Delivery): () => FaultyDemo {
  let proxy: FaultProxy | undefined;
  const demo = useDemo(delivery, async (server) => {
    proxy = await FaultProxy.start(server.origin);
    return proxy.origin;
  });
  afterEach(() => proxy?.heal());
  afterAll(() => proxy?.stop());
  return () => ({ ...demo(), proxy: present(proxy) });
}

/** Starts a server and a browser for the tests of a file; the returned function gives the demo of the running test. */
export function useDemo(delivery: Delivery = "reliable", front = async (server: Server) => server.origin): () => Demo {
  let origin: string | undefined;
  let server: Server | undefined;
  let browser: Browser | undefined;
  let folder: string | undefined;
  let context: BrowserContext | undefined;
  let demo: Demo | undefined;
  let tabs: DemoTab[] = [];

  const openTab = async (address: string) => {
    const tab = await openDemo(present(context), address);
    tabs.push(tab);
    await Promise.all([tab.ada.reaches("open"), tab.grace.reaches("open")]);
    return tab;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "everwire-"));
    // What a server has acknowledged must outlive it.
    server = await Server.start(["--www", builtPage(), "--database", join(folder, "server.sqlite")]);
    origin = await front(server);
    browser = await launchChromium();
  });

  beforeEach(async () => {
    context = await present(browser).newContext({ viewport: { width: 1280, height: 900 } });
    const tab = await openTab(`${present(origin)}/?delivery=${delivery}`);
    demo = { ...tab, server: present(server), openTab: () => openTab(tab.page.url()) };
  });

  afterEach(async () => {
    await context?.close();
    const opened = tabs;
    [context, demo, tabs] = [undefined, undefined, []];
    for (const { guard } of opened) guard.assertQuiet();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  return () => present(demo);
}

async function openDemo(context: BrowserContext, address: string): Promise<DemoTab> {
  const page = await context.newPage();
  const guard = new ConsoleGuard(page);
  await page.goto(address);
  const session = await page.getByTestId("session").innerText();
  return { page, guard, ada: new Pane(page, "ada", session), grace: new Pane(page, "grace", session) };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the demo exists only while a test runs");
  return value;
}
