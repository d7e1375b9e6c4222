import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../harness/freePort";
import { rootPath } from "../harness/paths";
import { run } from "../harness/run";
import { type Snippet, snippetsOf } from "../harness/snippets";
import { Terminal } from "./terminal";

/** The reader of the page: does what it says, in its order. */
class Reader {
  readonly #directory: string;
  readonly #terminals = new Map<string, Terminal>();
  readonly #steps: Snippet[];
  readonly #replace: (text: string) => string;

  constructor(directory: string, replace: (text: string) => string) {
    this.#directory = directory;
    this.#steps = [...snippetsOf("docs/start.md")];
    this.#replace = replace;
  }

  /** Does all steps up to one that starts something in this terminal. Returns the rest of the line that says so. */
  async readUntilItStarts(name: string): Promise<string> {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      const started = await this.#do(step);
      if (started !== undefined && step.remarks.terminal === name) return started;
    }
    throw new Error(`the page starts nothing in the terminal \`${name}\` any more`);
  }

  async readToTheEnd(): Promise<void> {
    for (const step of this.#steps.splice(0)) await this.#do(step);
  }

  terminal(name: string): Terminal {
    const terminal = this.#terminals.get(name) ?? new Terminal(this.#directory);
    this.#terminals.set(name, terminal);
    return terminal;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#terminals.values()].map((terminal) => terminal.close()));
  }

  async #do({ line, code, remarks: { file, terminal, until } }: Snippet): Promise<string | undefined> {
    const text = this.#replace(code);
    if (file !== undefined) {
      const path = join(this.#directory, "chat", file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    } else if (terminal === undefined) {
      throw new Error(`docs/start.md:${line}: it is not said what to do with this`);
    } else if (until !== undefined) {
      return await this.terminal(terminal).start(text, until);
    } else {
      await this.terminal(terminal).run(text);
    }
    return undefined;
  }
}

describe("docs/start.md, followed word by word", () => {
  let directory: string;
  let reader: Reader;
  let browser: Browser;
  let address: string;
  let ada: Page;
  let ben: Page;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-start-"));
    const packed = await run("npm", ["pack", "--silent", "--pack-destination", directory], { cwd: rootPath("pkg") });
    const tarball = join(directory, packed.output.trim().split("\n").at(-1) ?? "");
    const port = await freePort();
    reader = new Reader(directory, (text) =>
      text
        .replace("npm install everwire", `npm install "${tarball}"`)
        .replace('"everwire[', `"${rootPath("servers/python")}[`)
        // Another program may have the usual one.
        .replaceAll("8000", String(port)),
    );
    browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await reader?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  const open = async (user: string): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(new URL(`?user=${user}`, address).href);
    await page.getByText(`${user}: open`).waitFor();
    return page;
  };

  const say = async (page: Page, text: string) => {
    await page.getByLabel("Message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    await expect.poll(() => page.getByLabel("Message").inputValue()).toBe("");
  };

  const lines = (page: Page): Promise<string[]> => page.getByRole("listitem").allTextContents();

  it("server and page start", async () => {
    await reader.readUntilItStarts("server");
    address = await reader.readUntilItStarts("page");
    expect(address).toMatch(/^http:\/\/localhost:\d+\/$/);
  });

  it("two people in two browsers read each other", async () => {
    ada = await open("ada");
    ben = await open("ben");
    await say(ada, "Hello");
    await expect.poll(() => lines(ben)).toEqual(["ada: Hello"]);
    await say(ben, "Hi!");
    await expect.poll(() => lines(ada)).toEqual(["ada: Hello", "ben: Hi!"]);
  });

  it("each sees the other type", async () => {
    await ben.getByLabel("Message").pressSequentially("Hm");
    await ada.getByText("ben is typing").waitFor();
  });

  it("what is written while the server is away arrives once when it is back", async () => {
    await reader.terminal("server").interrupt();
    await ada.getByText("ada: waiting").waitFor();
    await say(ada, "Are you there?");
    await say(ada, "I shall wait.");
    const begun = ["ada: Hello", "ben: Hi!"];
    expect(await lines(ada)).toEqual([...begun, "ada: Are you there? …", "ada: I shall wait. …"]);
    expect(await lines(ben)).toEqual(begun);
    await reader.readUntilItStarts("server");
    const all = [...begun, "ada: Are you there?", "ada: I shall wait."];
    await expect.poll(() => lines(ben), { timeout: 30_000 }).toEqual(all);
    await expect.poll(() => lines(ada)).toEqual(all);
  });

  it("the page can be built for production", async () => {
    await reader.readToTheEnd();
  });
});
