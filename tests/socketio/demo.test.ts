import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChromium } from "../e2e/harness/chromium";
import { Pane } from "../e2e/harness/pane";
import { pythonProgram, rootPath, workPath } from "./harness/paths";
import { startServer } from "./harness/process";

let browser: Browser | undefined;
let stop = () => {};
let address = "";

beforeAll(async () => {
  const www = process.env["EVERWIRE_WWW"] ?? rootPath("www/dist");
  if (!existsSync(www)) throw new Error(`${www} is missing. \`cargo xtask test socketio\` builds the demo page first.`);
  const command = [pythonProgram(), "-m", "colabmatch", "--dev", "--port", "0", "--www", www];
  const server = await startServer(command, rootPath("examples/colabmatch-socketio/src"));
  stop = () => server.process.kill();
  address = server.origin;
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  stop();
});

/** The demo's match, with both people on one page. */
async function open(session: string): Promise<{ page: Page; ada: Pane; grace: Pane }> {
  const page = await (browser as Browser).newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${address}/?wire=socket.io&session=${session}`);
  const [ada, grace] = [new Pane(page, "ada", session), new Pane(page, "grace", session)];
  for (const pane of [ada, grace]) await pane.reaches("open");
  return { page, ada, grace };
}

const presence = (pane: Pane) => pane.part("presence").getAttribute("data-presence");

it("the demo's match runs on CoLabMatch's own server: presence, typing, messages, receipts", async () => {
  const { page, ada, grace } = await open("over-socketio");
  expect(await page.getByTestId("delivery").innerText()).toBe("at most once");
  await expect.poll(() => presence(ada)).toBe("online");
  await expect.poll(() => presence(grace)).toBe("online");
  await ada.type("Are you there?");
  await grace.part("typing").filter({ hasText: "Ada is typing" }).waitFor();
  await ada.press("composer-send");
  await grace.write("I am.");
  for (const pane of [ada, grace]) await expect.poll(() => pane.messages()).toEqual(["Are you there?", "I am."]);
  for (const pane of [ada, grace]) await expect.poll(() => pane.deliveries()).toEqual(["Read"]);

  await ada.breaks("drop-connection");
  await ada.reaches("waiting");
  await ada.write("From the queue");
  await ada.reaches("open");
  await expect.poll(() => grace.messages()).toEqual(["Are you there?", "I am.", "From the queue"]);
  await page.screenshot({ path: workPath("demo.png") });
});

it("a token that the server refuses is asked for once more", async () => {
  const { ada } = await open("refused-token");
  await ada.breaks("refuse-token");
  await ada.reaches("waiting");
  await ada.reaches("open");
});
