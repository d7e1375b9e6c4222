import type { Locator, Page } from "playwright-core";

type Phase = "idle" | "connecting" | "open" | "closing" | "waiting" | "offline" | "logged_out" | "given_up" | "fatal";

/** One person's part of the demo page, or one device's, in the words of someone who looks at it. */
export class Pane {
  readonly root: Locator;
  readonly userId: string;
  readonly #page: Page;
  readonly #key: string;

  constructor(page: Page, key: "ada" | "grace" | "phone" | "laptop", session: string) {
    this.root = page.getByTestId(`pane-${key}`);
    this.#page = page;
    this.#key = key;
    this.userId = `${key}-${session}`;
  }

  part(testId: string): Locator {
    return this.root.getByTestId(testId);
  }

  async press(testId: string): Promise<void> {
    await this.part(testId).click();
  }

  /** Presses a person's button on the panel that breaks things. */
  async breaks(fault: string): Promise<void> {
    await this.#page.getByTestId(`${fault}-${this.#key}`).click();
  }

  async write(content: string): Promise<void> {
    await this.part("composer-input").fill(content);
    await this.press("composer-send");
  }

  /** Types like a person: key by key, and does not send. */
  async type(content: string): Promise<void> {
    await this.part("composer-input").pressSequentially(content, { delay: 30 });
  }

  async reaches(phase: Phase): Promise<void> {
    await this.root.locator(`[data-testid=connection][data-phase=${phase}]`).waitFor();
  }

  async says(status: RegExp): Promise<void> {
    await this.part("status").filter({ hasText: status }).waitFor();
  }

  async hears(status: RegExp): Promise<void> {
    await this.root.getByRole("status").filter({ hasText: status }).waitFor({ state: "attached" });
  }

  async logs(event: string, text: RegExp): Promise<void> {
    await this.part("log").locator(`[data-event=${event}]`, { hasText: text }).first().waitFor();
  }

  messages(): Promise<string[]> {
    return this.part("message-content").allInnerTexts();
  }

  deliveries(): Promise<string[]> {
    return this.part("message-delivery").allInnerTexts();
  }

  queued(): Promise<string> {
    return this.part("queued").innerText();
  }
}
