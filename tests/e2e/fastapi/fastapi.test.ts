import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launchChromium } from "../harness/chromium";

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The example as a reader has it: its folder, with the package beside the page. */
class Example {
  readonly origin: string;
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  /** What it has written, in all its lives. */
  log = "";

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  static async copy(): Promise<Example> {
    const folder = await mkdtemp(join(tmpdir(), "everwire-fastapi-"));
    await cp(root("servers/python/examples/fastapi"), folder, { recursive: true });
    await cp(root("pkg/dist"), join(folder, "page/everwire"), { recursive: true });
    return new Example(folder, await freePort());
  }

  async start(): Promise<void> {
    const started = spawn("python", ["main.py"], {
      cwd: this.#folder,
      env: { ...env, EVERWIRE_DEV: "1", PORT: String(this.#port), PYTHONUNBUFFERED: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const output of [started.stdout, started.stderr]) {
      output.on("data", (text: Buffer) => {
        this.log += text;
      });
    }
    this.#process = started;
    const answers = () =>
      fetch(`${this.origin}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers, { message: this.log }).toBe(true);
  }

  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    this.#process = undefined;
    await exited;
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }
}

let browser: Browser;
let example: Example;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser.close());

beforeEach(async () => {
  example = await Example.copy();
  await example.start();
});

afterEach(async () => {
  await example.kill();
  await example.remove();
});

async function open(user: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${example.origin}/?user=${user}`);
  await expect.poll(() => page.textContent("#phase")).toBe("open");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

const lines = (page: Page, of: string) => async (): Promise<string[]> =>
  (await page.locator("#log p").allTextContents())
    .filter((line) => line.startsWith(`${of}: `))
    .map((line) => line.slice(of.length + 2).trim());

test("what is written while the server is killed arrives once and in order", async () => {
  const [ada, ben] = [await open("ada"), await open("ben")];
  await say(ada, "hello");
  await expect.poll(lines(ben, "ada")).toEqual(["hello"]);
  await example.kill();
  await expect.poll(() => ada.textContent("#phase")).not.toBe("open");
  for (const text of ["one", "two", "three"]) await say(ada, text);
  await example.start();
  await expect.poll(lines(ben, "ada")).toEqual(["hello", "one", "two", "three"]);
  await expect.poll(() => ada.locator("#log small").allTextContents()).toEqual(Array(4).fill("acknowledged"));
  expect(example.log).not.toMatch(/token=ey/);
});

test("an emotion reaches all devices of a user, by a message and by `POST /api/v1/chat`", async () => {
  const [laptop, phone] = [await open("ada"), await open("ada")];
  await say(laptop, "I'm so excited about this!");
  for (const page of [laptop, phone]) await expect.poll(() => page.textContent("#emotion")).toBe("excitement");
  await laptop.fill("#text", "now I am stuck");
  await laptop.click("#ask");
  await expect.poll(lines(laptop, "tutor")).toEqual(["You said: now I am stuck"]);
  for (const page of [laptop, phone]) await expect.poll(() => page.textContent("#emotion")).toBe("frustration");
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
