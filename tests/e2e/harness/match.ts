import type { Page } from "playwright-core";
import { beforeEach } from "vitest";
import type { ConsoleGuard } from "./consoleGuard";
import { Pane } from "./pane";
import type { Server } from "./server";
import { present, useSite } from "./site";

/** A match whose two people look at two browsers, each at their own side only. */
export interface Match {
  readonly server: Server;
  readonly ada: Side;
  readonly grace: Side;
  /** Opens a person's page in a browser of its own. */
  open(key: Side["key"]): Promise<Side>;
}

export interface Side {
  readonly key: "ada" | "grace";
  readonly page: Page;
  readonly guard: ConsoleGuard;
  readonly pane: Pane;
}

/** Starts a server and browsers for the tests of a file; the returned function gives the match of the running test. */
export function useMatch(parameters: Readonly<Record<string, string>> = {}): () => Match {
  const site = useSite();
  let match: Match | undefined;

  beforeEach(async () => {
    const { server, open, newContext } = site();
    const session = `match${Math.random().toString(36).slice(2, 10)}`;
    const openSide = async (key: Side["key"]): Promise<Side> => {
      const address = `/?${new URLSearchParams({ ...parameters, session, person: key })}`;
      const { page, guard } = await open(address, await newContext());
      const pane = new Pane(page, key, session);
      await pane.reaches("open");
      return { key, page, guard, pane };
    };
    match = { server, ada: await openSide("ada"), grace: await openSide("grace"), open: openSide };
  });

  return () => present(match);
}
