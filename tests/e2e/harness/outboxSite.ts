import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { chromiumProgram } from "./environment";

/** A site whose pages have nothing but the built `everwire/durable`, opened in a profile of its own for every test. */
export interface OutboxSite {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly origin: string;
  open(context?: BrowserContext): Promise<OutboxPage>;
  /** Runs a part in a browser of its own whose profile is on disk, the same for every part of the test. */
  openProfile(part: (page: OutboxPage, kill: () => Promise<void>) => Promise<void>): Promise<void>;
}

export function useOutboxSite(): () => OutboxSite {
  const server = createServer(({ url }, response) => {
    const isScript = url === "/durable.js";
    // The origin of a sandboxed frame is nobody's, so its script comes from another.
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? SCRIPT : PAGE);
  });
  let browser: Browser | undefined;
  let context: BrowserContext | undefined;
  let profile = "";

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch(launch());
  });
  beforeEach(async () => {
    context = await browser?.newContext();
    profile = await mkdtemp(join(tmpdir(), "everwire-"));
  });
  afterEach(async () => {
    await context?.close();
    // A killed browser's helpers may still be writing.
    await rm(profile, { recursive: true, maxRetries: 20, retryDelay: 100 });
  });
  afterAll(async () => {
    await browser?.close();
    server.close();
  });

  return () => {
    if (browser === undefined || context === undefined) throw new Error("the site exists only while a test runs");
    const own = context;
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const open = async (in_ = own) => new OutboxPage(await in_.newPage(), origin).load();
    const openProfile: OutboxSite["openProfile"] = async (part) => {
      const persistent = await chromium.launchPersistentContext(profile, launch());
      const closed = new Promise<void>((resolve) => persistent.once("close", () => resolve()));
      const page = await open(persistent);
      const session = await persistent.newCDPSession(page.page);
      const kill = () => {
        session.send("Browser.crash").catch(() => {});
        return closed;
      };
      try {
        await part(page, kill);
      } finally {
        await persistent.close();
      }
    };
    return { browser, context, origin, open, openProfile };
  };
}

/** A page with an outbox. */
export class OutboxPage {
  readonly page: Page;
  readonly #origin: string;
  #clientId: string | undefined;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
  }

  async load(path = "/"): Promise<this> {
    await this.page.goto(this.#origin + path);
    return this;
  }

  /** Resolves once the old document has let go of what it had adopted. */
  async reload(): Promise<void> {
    await this.page.reload();
    await expect.poll(() => this.held()).not.toContain(this.#clientId);
  }

  /** Opens the outbox; the adopted messages as short texts, such as `a1`. */
  adopt(clientId: string, options: object = {}): Promise<string[]> {
    this.#clientId = clientId;
    return this.page.evaluate(([id, given]) => window.adopt(id, given), [clientId, options] as const);
  }

  /** Puts messages in one turn; the codes of those that were refused. */
  put(seqs: readonly number[], length = 12): Promise<string[]> {
    return this.page.evaluate(([all, size]) => window.put(all, size), [seqs, length] as const);
  }

  /** Everything on disk of this origin, as short texts. */
  stored(): Promise<string[]> {
    return this.page.evaluate(() => window.stored());
  }

  async wipe(): Promise<void> {
    await this.page.evaluate(() => window.outbox.wipe());
  }

  async acknowledge(clientId: string, seq: number): Promise<void> {
    await this.page.evaluate(([id, upTo]) => window.outbox.acknowledge(id, upTo), [clientId, seq] as const);
  }

  /** The senders that some page holds. */
  held(): Promise<string[]> {
    return this.page.evaluate(async () => {
      const { held = [] } = await navigator.locks.query();
      return held.map(({ name = "" }) => name.replace(/.*:/, "")).sort();
    });
  }

  /** Kills the page's process as a crash does. */
  async crash(): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const crashed = this.page.waitForEvent("crash");
    // Nobody is left to answer.
    session.send("Page.crash").catch(() => {});
    await crashed;
  }
}

const launch = () => ({
  executablePath: chromiumProgram(),
  args: ["--no-sandbox", "--disable-gpu"],
  // Playwright switches the cache off, and users have it.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});

declare global {
  interface Window {
    outbox: { wipe(): Promise<void>; acknowledge(clientId: string, seq: number): void };
    adopt(clientId: string, options: object): Promise<string[]>;
    put(seqs: readonly number[], length: number): Promise<string[]>;
    stored(): Promise<string[]>;
  }
}

const SCRIPT = readFileSync(new URL("../../../pkg/dist/durable.js", import.meta.url));

const PAGE = `<!doctype html><title>outbox</title><script type="module">
  import { durableOutbox } from "/durable.js";
  let clientId;
  window.adopt = async (id, options) => {
    clientId = id;
    window.outbox = durableOutbox({ name: "default", ...options });
    return (await outbox.open(id)).map((message) => message.clientId + message.seq);
  };
  window.put = async (seqs, length) => {
    const puts = seqs.map((seq) =>
      outbox.put({ clientId, seq, frame: '{"type":"a"}'.padStart(length), bytes: length, purpose: 1, expiresAt: null }),
    );
    const outcomes = await Promise.allSettled(puts);
    return outcomes.flatMap(({ reason }) => (reason ? [reason.code] : []));
  };
  window.stored = () => new Promise((resolve, reject) => {
    const opening = indexedDB.open("everwire", 1);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const keys = database.transaction("messages").objectStore("messages").getAllKeys();
      keys.onsuccess = () => {
        database.close();
        resolve(keys.result.filter(Array.isArray).map(([, sender, seq]) => sender + seq));
      };
    };
  });
</script>`;
