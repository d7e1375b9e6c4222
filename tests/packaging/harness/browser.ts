import { type Browser, chromium } from "playwright-core";
import { afterAll, expect } from "vitest";
import { startEchoServer } from "./echoServer";
import { chromiumProgram } from "./environment";
import { closeLater } from "./resources";

/** What `common/main.js` puts on the page: one client of each entry. */
export const PARTS = ["default", "react", "react-slim", "slim"];

/** What `common/workers/main.js` puts on the page. */
export const WORKERS = ["dedicated", "shared"];

let browser: Browser | undefined;

afterAll(async () => {
  await browser?.close();
  browser = undefined;
});

type Texts = Readonly<Record<string, string>>;

interface Wanted {
  /** Which build of the package the page must have, where its default entry is among the parts. */
  readonly build?: "development" | "production";
  /** Of an echo server that runs already. */
  readonly port?: number;
}

/** Opens the page with the port of an echo server, and waits until each part of it shows what the server has said to it. */
export async function expectMessages(address: string, parts: readonly string[], wanted: Wanted = {}): Promise<void> {
  const isHeard = (texts: Texts) => parts.every((part) => texts[part] === `${part} was heard`);
  const { complaints, warnings } = await shownOn(address, isHeard, wanted.port);
  expect(complaints).toEqual([]);
  if (wanted.build !== undefined) {
    expect(warnings.some((text) => text.includes("there is no option `reconnct`"))).toBe(
      wanted.build === "development",
    );
  }
}

interface Shown {
  readonly texts: Texts;
  /** Errors of scripts, and what the browser says about them in its console. */
  readonly complaints: readonly string[];
  readonly warnings: readonly string[];
}

/** Opens the page with the port of an echo server, and returns what its parts show once that is what the test waits for. */
export async function shownOn(address: string, isWanted: (texts: Texts) => boolean, port?: number): Promise<Shown> {
  const server = port ?? (await startEchoServer());
  browser ??= await chromium.launch({ executablePath: chromiumProgram(), args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext();
  closeLater(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const warnings: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(`${address}/?server=${server}`);
  let texts: Texts = {};
  const look = async () => {
    texts = await page.$$eval("output", (outputs) =>
      Object.fromEntries(outputs.map(({ id, textContent }) => [id, textContent])),
    );
    return isWanted(texts);
  };
  try {
    await expect.poll(look).toBe(true);
  } catch {
    throw new Error(`the page shows ${JSON.stringify(texts)}; it complained:\n${complaints.join("\n")}`);
  }
  return { texts, complaints, warnings };
}
