import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import { startEchoServer } from "./echoServer";
import { chromiumProgram } from "./environment";
import { closeLater } from "./resources";

let browser: Browser | undefined;

afterAll(async () => {
  await browser?.close();
  browser = undefined;
});

/** Opens the page with the port of an echo server, and waits until each part of it shows what the server has said to it. */
export async function expectMessages(address: string, parts: readonly string[], port?: number): Promise<Page> {
  const server = port ?? (await startEchoServer());
  browser ??= await chromium.launch({ executablePath: chromiumProgram(), args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext();
  closeLater(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(`${address}/?server=${server}`);
  const shown = () =>
    page.$$eval("output", (outputs) => Object.fromEntries(outputs.map(({ id, textContent }) => [id, textContent])));
  const wanted = Object.fromEntries(parts.map((part) => [part, `${part} was heard`]));
  try {
    await expect.poll(shown).toMatchObject(wanted);
  } catch (error) {
    throw new Error(
      `${String(error)}\nshown: ${JSON.stringify(await shown())}\nthe page complained:\n${complaints.join("\n")}`,
    );
  }
  return page;
}
