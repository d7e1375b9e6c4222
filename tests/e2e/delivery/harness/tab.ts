import type { Options } from "everwire";
import type { DurableOutboxOptions } from "everwire/durable";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { Lab } from "../page/lab";

type Methods = { [Name in keyof Lab as Lab[Name] extends (...args: never[]) => unknown ? Name : never]: Lab[Name] };

/** One page of the browser with one client in it. */
export class Tab {
  readonly page: Page;
  readonly #uncaught: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.#uncaught.push(error.stack ?? error.message));
  }

  static async open(context: BrowserContext, origin: string): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.goto(origin);
    return tab;
  }

  /** Makes the page's client and connects it. */
  start(options: Options, kept?: DurableOutboxOptions): Promise<void> {
    return this.call("start", { ...EAGER, ...options }, kept);
  }

  /** The same, and makes a request before the client can have done anything. */
  startAndAsk(options: Options, type: string, data: object): Promise<unknown> {
    return this.call("startAndAsk", { ...EAGER, ...options }, type, data);
  }

  /** Calls a method of the page's {@link Lab}. */
  call<Name extends keyof Methods>(
    name: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    const result = this.page.evaluate(
      ([name, args]) => (window.lab[name] as (...args: unknown[]) => unknown)(...args),
      [name, args] as const,
    );
    return result as Promise<Awaited<ReturnType<Methods[Name]>>>;
  }

  /** Reads a field of the page's {@link Lab}. */
  read<Name extends Exclude<keyof Lab, keyof Methods | "client">>(name: Name): Promise<Lab[Name]> {
    return this.page.evaluate((name) => window.lab[name], name) as Promise<Lab[Name]>;
  }

  async isOpen(): Promise<void> {
    await expect.poll(async () => (await this.call("snapshot")).phase).toBe("open");
  }

  /** Waits until every message that the page has sent has one of these statuses. */
  async allAre(...statuses: string[]): Promise<void> {
    const left = async () => Object.entries(await this.read("statuses")).filter(([, now]) => !statuses.includes(now));
    await expect.poll(left).toEqual([]);
  }

  /** What an event of the server's application carried, of each one that the page was given. */
  async heard(type: string, field: string): Promise<string[]> {
    const events = (await this.read("heard")).filter((event) => event.type === type);
    return events.map(({ data }) => String((data as Record<string, unknown>)[field]));
  }

  assertQuiet(): void {
    expect(this.#uncaught).toEqual([]);
  }
}

/** Comes back quickly and for ever, and notices dead links early, so that tests are short. */
const EAGER: Options = {
  delivery: "reliable",
  reconnect: { initialDelayMs: 50, maxDelayMs: 200, maxAttempts: Number.POSITIVE_INFINITY },
  heartbeat: { intervalMs: 1_000, timeoutMs: 1_000 },
  connectTimeoutMs: 2_000,
};
