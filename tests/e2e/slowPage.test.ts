import type { Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { FaultProxy } from "./harness/faultProxy";
import { Pane } from "./harness/pane";
import { present, useSite } from "./harness/site";

let proxy: FaultProxy | undefined;
const site = useSite(
  async (server) => {
    proxy = await FaultProxy.start(server.origin, ["--receive-buffer", "2048"]);
    return proxy.origin;
  },
  ["--send-buffer", "2048"],
);
afterAll(() => proxy?.stop());

test("a page that is slow gets fewer parts of an answer than a quick one, and all of its text", async () => {
  const { server, open } = site();
  const { page: quick } = await open(`${server.origin}/?view=lesson`);
  const session = await quick.getByTestId("session").innerText();
  const { page: slow } = await open(`/${new URL(quick.url()).search}`);
  const parts = { quick: await countParts(quick), slow: await countParts(slow) };
  const panes = [quick, slow].flatMap((page) => DEVICES.map((device) => new Pane(page, device, session)));
  const quickPanes = panes.slice(0, DEVICES.length);
  await Promise.all(panes.map((pane) => pane.reaches("open")));

  await present(proxy).rule({ fault: "half_open", direction: "down" });
  const answer = await ask(server.origin, await server.token(`lea-${session}`), session);
  for (const pane of quickPanes) await pane.part("message-content").filter({ hasText: answer }).waitFor();
  await present(proxy).heal();

  for (const pane of panes) {
    await pane.part("message-content").filter({ hasText: answer }).waitFor();
    await expect.poll(() => pane.messages()).toEqual([answer]);
  }
  const all = DEVICES.length * (1 + answer.split(" ").length);
  // On a busy machine the quick page is not always quick.
  expect(parts.quick()).toBeLessThanOrEqual(all);
  expect(parts.slow()).toBeGreaterThan(0);
  expect(parts.slow()).toBeLessThan(parts.quick() * 0.8);
});

const DEVICES = ["phone", "laptop"] as const;

/** Asks the tutor past every page, and returns the whole answer. */
async function ask(origin: string, token: string, session: string): Promise<string> {
  const response = await fetch(`${origin}/api/v1/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ session_id: session, message: "This is confusing." }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { message: string }).message;
}

/** Loads the page anew and counts the parts of answers that reach it. */
async function countParts(page: Page): Promise<() => number> {
  let count = 0;
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      if (JSON.parse(payload.toString()).type === "message_delta") count++;
    });
  });
  await page.reload();
  return () => count;
}
