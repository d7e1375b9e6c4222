import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "../../e2e/harness/chromium";
import { Lab } from "../lab/lab";
import { pageBundle } from "./bundle";

type Methods = { [Name in keyof Lab as Lab[Name] extends (...args: never[]) => unknown ? Name : never]: Lab[Name] };

/** A lab, wherever it is. */
export interface RemoteLab {
  /** Another one in the same program. */
  sibling(): Promise<RemoteLab>;
  call<Name extends keyof Methods>(
    name: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>>;
}

/** Where clients run. */
export interface Place {
  newLab(): Promise<RemoteLab>;
  /** Ends all clients. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export type PlaceName = "Node" | "Chromium";

export const openPlace = (name: PlaceName): Promise<Place> => (name === "Node" ? openNode() : openChromium());

async function openNode(): Promise<Place> {
  let labs: Lab[] = [];
  const clear = async () => {
    for (const lab of labs) lab.disconnect();
    labs = [];
  };
  const newLab = async (): Promise<RemoteLab> => {
    const lab = new Lab();
    labs.push(lab);
    return { call: (name, ...args) => invoke(lab, name, args) as never, sibling: newLab };
  };
  return { newLab, clear, close: clear };
}

async function openChromium(): Promise<Place> {
  const script = await readFile(pageBundle());
  const site = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : PAGE);
  });
  await new Promise<void>((listening) => site.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const browser: Browser = await launchChromium();
  let contexts: BrowserContext[] = [];
  const clear = async () => {
    for (const context of contexts) await context.close();
    contexts = [];
  };
  return {
    newLab: async () => {
      const context = await browser.newContext();
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => console.error(error));
      await page.goto(origin);
      await page.waitForFunction(() => "makeLab" in window);
      return labOn(page);
    },
    clear,
    close: async () => {
      await browser.close();
      site.close();
      site.closeAllConnections();
    },
  };
}

async function labOn(page: Page): Promise<RemoteLab> {
  const lab = await page.evaluateHandle(() => window.makeLab());
  return {
    call: (name, ...args) =>
      lab.evaluate((lab, [name, args]) => (lab[name] as (...args: unknown[]) => unknown)(...args), [
        name,
        args,
      ] as const) as never,
    sibling: () => labOn(page),
  };
}

// What is in a page is copied on its way out; here as well, so that a scenario sees the same in both places.
async function invoke(lab: Lab, name: keyof Methods, args: unknown[]): Promise<unknown> {
  return structuredClone(await (lab[name] as (...args: unknown[]) => unknown)(...args));
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>lab</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`;
