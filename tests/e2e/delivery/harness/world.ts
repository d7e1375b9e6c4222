import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options } from "everwire";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { launchChromium } from "../../harness/chromium";
import { FaultProxy } from "../../harness/faultProxy";
import { type Processed, Server } from "../../harness/server";
import { servePage } from "./bundle";
import { Tab } from "./tab";

/** A server with a database, the fault proxy in front of it, and a browser profile that belongs to one test. */
export interface World {
  readonly server: Server;
  readonly proxy: FaultProxy;
  /** Someone whom no other test knows. */
  readonly user: string;
  /** What a client needs to reach the server as this user through the proxy. */
  readonly options: Options;
  open(): Promise<Tab>;
  /** The ids of the user's chat messages that the server has processed and not refused, in order. */
  processed(): Promise<string[]>;
  /** The ids of those that it has refused. */
  refused(): Promise<string[]>;
}

/** Starts everything for the tests of a file; the returned function gives the world of the running test. */
export function useWorld(flags: readonly string[] = []): () => World {
  let server: Server | undefined;
  let proxy: FaultProxy | undefined;
  let browser: Browser | undefined;
  let context: BrowserContext | undefined;
  let site: Awaited<ReturnType<typeof servePage>> | undefined;
  let folder: string | undefined;
  let world: World | undefined;
  let tabs: Tab[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "everwire-"));
    server = await Server.start(["--database", join(folder, "server.sqlite"), ...flags]);
    proxy = await FaultProxy.start(server.origin);
    site = await servePage();
    browser = await launchChromium();
  });

  beforeEach(async () => {
    const [there, between, chromium, home] = [present(server), present(proxy), present(browser), present(site)];
    const profile = await chromium.newContext();
    context = profile;
    const user = `user-${randomUUID()}`;
    world = {
      server: there,
      proxy: between,
      user,
      options: { url: between.origin, token: await there.token(user) },
      open: async () => {
        const tab = await Tab.open(profile, home.origin);
        tabs.push(tab);
        return tab;
      },
      processed: async () => chatIds((await there.processed(user)).filter(({ refused }) => refused === undefined)),
      refused: async () => chatIds((await there.processed(user)).filter(({ refused }) => refused !== undefined)),
    };
  });

  afterEach(async () => {
    await proxy?.heal();
    await context?.close();
    for (const tab of tabs) tab.assertQuiet();
    tabs = [];
    world = undefined;
  });

  afterAll(async () => {
    await browser?.close();
    proxy?.stop();
    site?.close();
    await server?.kill();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  return () => present(world);
}

/** The ids of the chat messages among those that a server has processed. */
export function chatIds(processed: readonly Processed[]): string[] {
  return processed.filter(({ type }) => type === "message_sent").map(({ data }) => data.message?.id ?? "");
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the world exists only while a test runs");
  return value;
}
