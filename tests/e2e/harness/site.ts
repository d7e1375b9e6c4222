import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { launchChromium } from "./chromium";
import { ConsoleGuard } from "./consoleGuard";
import { builtPage } from "./environment";
import { Server } from "./server";

/** A server with the demo, and a browser of nobody's for every test. */
export interface Site {
  readonly server: Server;
  /** Opens an address of the demo; relative ones are the demo's. */
  open(address: string, context?: BrowserContext): Promise<OpenedPage>;
  /** Another browser, as it were: it shares no storage. */
  newContext(): Promise<BrowserContext>;
}

export interface OpenedPage {
  readonly page: Page;
  readonly guard: ConsoleGuard;
}

/** Starts a server and a browser for the tests of a file; the returned function gives the site of the running test. */
export function useSite(front = async (server: Server) => server.origin, flags: readonly string[] = []): () => Site {
  let origin: string | undefined;
  let server: Server | undefined;
  let browser: Browser | undefined;
  let folder: string | undefined;
  let contexts: BrowserContext[] = [];
  let guards: ConsoleGuard[] = [];

  const newContext = async () => {
    const context = await present(browser).newContext({ viewport: { width: 1280, height: 900 } });
    contexts.push(context);
    return context;
  };
  const open = async (address: string, context = present(contexts[0])) => {
    const page = await context.newPage();
    const guard = new ConsoleGuard(page);
    guards.push(guard);
    await page.goto(new URL(address, present(origin)).href);
    return { page, guard };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "everwire-"));
    // What a server has acknowledged must outlive it.
    server = await Server.start(["--www", builtPage(), "--database", join(folder, "server.sqlite"), ...flags]);
    origin = await front(server);
    browser = await launchChromium();
  });

  beforeEach(async () => {
    await newContext();
  });

  afterEach(async () => {
    const opened = { contexts, guards };
    [contexts, guards] = [[], []];
    for (const context of opened.contexts) await context.close();
    for (const guard of opened.guards) guard.assertQuiet();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  return () => ({ server: present(server), open, newContext });
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the site exists only while a test runs");
  return value;
}
