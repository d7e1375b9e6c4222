import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import { useSite } from "../harness/site";

const site = useSite();

let ada: Person;
let grace: Person;

beforeEach(async () => {
  const room = crypto.randomUUID();
  [ada, grace] = await Promise.all([Person.enter("ada", room), Person.enter("grace", room)]);
});

test("a message is shown at once, announced by typing, and its status follows it to the other page", async () => {
  await ada.type("Is the engine running?");
  await expect.poll(() => grace.typing()).toBe("ada is typing …");
  await ada.press("Enter");
  expect(await ada.messages()).toEqual(["Is the engine running?"]);

  await expect.poll(() => grace.messages()).toEqual(["Is the engine running?"]);
  await expect.poll(() => grace.typing()).toBe("");
  await expect.poll(() => ada.statuses()).toEqual(["delivered"]);
  expect(await grace.statuses()).toEqual([]);
});

test("typing ends when the writer stops", async () => {
  await grace.type("Hm");
  await expect.poll(() => ada.typing()).toBe("grace is typing …");
  await expect.poll(() => ada.typing()).toBe("");
});

test("a message over the server's limit says why it was not sent, and the next one goes through", async () => {
  await ada.write("x".repeat(11_000));
  await expect.poll(() => ada.statuses()).toEqual([expect.stringMatching(/^not sent: .*10240/)]);
  await ada.write("short");
  await expect.poll(() => grace.messages()).toEqual(["short"]);
});

test("both come back from a server that was killed, and what was written meanwhile arrives once and in order", async () => {
  const { server } = site();
  await ada.write("before");
  await expect.poll(() => grace.messages()).toEqual(["before"]);
  await expect.poll(() => ada.statuses()).toEqual(["delivered"]);

  const outage = async () => {
    await server.kill();
    for (const person of [ada, grace]) await expect.poll(() => person.phase()).not.toBe("open");
    await ada.write("one");
    await ada.write("two");
    expect(await ada.statuses()).toEqual(["delivered", "sending", "sending"]);
    await server.restart();
    for (const person of [ada, grace]) await expect.poll(() => person.phase()).toBe("open");
  };
  await ada.guard.duringOutage(() => grace.guard.duringOutage(outage));

  await expect.poll(() => grace.messages()).toEqual(["before", "one", "two"]);
  await expect.poll(() => ada.statuses()).toEqual(["delivered", "delivered", "delivered"]);
  await grace.write("after");
  await expect.poll(() => ada.messages()).toEqual(["before", "one", "two", "after"]);
  expect(await grace.messages()).toEqual(["before", "one", "two", "after"]);
});

/** One person's page. */
class Person {
  readonly #page: Page;

  private constructor(
    page: Page,
    readonly guard: Awaited<ReturnType<ReturnType<typeof site>["open"]>>["guard"],
  ) {
    this.#page = page;
  }

  static async enter(user: string, room: string): Promise<Person> {
    const { page, guard } = await site().open(`/?user=${user}&room=${room}`);
    const person = new Person(page, guard);
    await expect.poll(() => person.phase()).toBe("open");
    return person;
  }

  phase = () => this.#page.getByRole("status").getAttribute("data-phase");
  messages = () => this.#page.getByRole("listitem").locator("span").allInnerTexts();
  statuses = () => this.#page.getByRole("listitem").locator("small").allInnerTexts();
  typing = () => this.#page.getByLabel("Typing").innerText();
  type = (text: string) => this.#page.getByLabel("Message", { exact: true }).fill(text);
  press = (key: string) => this.#page.keyboard.press(key);

  async write(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
  }
}
