import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeEach } from "vitest";
import type { ConsoleGuard } from "./consoleGuard";
import { FaultProxy } from "./faultProxy";
import { Pane } from "./pane";
import type { Server } from "./server";
import { type OpenedPage, present, useSite } from "./site";

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
export function useDemo(delivery: Delivery = "reliable", front?: (server: Server) => Promise<string>): () => Demo {
  const site = useSite(front);
  let demo: Demo | undefined;

  const openTab = async (address: string) => {
    const tab = await demoOf(await site().open(address));
    await Promise.all([tab.ada.reaches("open"), tab.grace.reaches("open")]);
    return tab;
  };

  beforeEach(async () => {
    const tab = await openTab(`/?delivery=${delivery}`);
    demo = { ...tab, server: site().server, openTab: () => openTab(tab.page.url()) };
  });

  afterEach(() => {
    demo = undefined;
  });

  return () => present(demo);
}

async function demoOf({ page, guard }: OpenedPage): Promise<DemoTab> {
  const session = await page.getByTestId("session").innerText();
  return { page, guard, ada: new Pane(page, "ada", session), grace: new Pane(page, "grace", session) };
}
