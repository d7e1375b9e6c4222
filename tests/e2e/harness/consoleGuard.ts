import type { ConsoleMessage, Page } from "playwright-core";

/** Collects what went wrong on a page, except for the browser's own remarks about outages that the test makes. */
export class ConsoleGuard {
  readonly #problems: string[] = [];
  #outage = false;

  constructor(page: Page) {
    page.on("pageerror", (error) => this.#problems.push(`uncaught: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      if (this.#outage && isAboutTheOutage(message)) return;
      this.#problems.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
  }

  /** Runs a part of the test in which the server is expected to be unreachable or to refuse. */
  async duringOutage(part: () => Promise<void>): Promise<void> {
    this.#outage = true;
    try {
      await part();
    } finally {
      this.#outage = false;
    }
  }

  assertQuiet(): void {
    if (this.#problems.length > 0) throw new Error(`The page complained:\n${this.#problems.join("\n")}`);
  }
}

// Chromium itself writes these lines for every refused handshake and every failed request; no script can prevent them.
function isAboutTheOutage(message: ConsoleMessage): boolean {
  const text = message.text();
  return REFUSED_SOCKET.test(text) || (FAILED_REQUEST.test(text) && DEMO_REQUEST.test(message.location().url));
}

const REFUSED_SOCKET =
  /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+\/api\/ws\?token=[^']*' failed: (Error in connection establishment: net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|SOCKET_NOT_CONNECTED)|Error during WebSocket handshake: Unexpected response code: 503|WebSocket is closed before the connection is established\.)?$/;
const FAILED_REQUEST =
  /^Failed to load resource: net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|SOCKET_NOT_CONNECTED|EMPTY_RESPONSE)$/;
const DEMO_REQUEST = /^http:\/\/127\.0\.0\.1:\d+\/(dev\/(token|match)|api\/(matches\/.*|v1\/chat))$/;
