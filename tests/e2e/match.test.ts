import { expect, test } from "vitest";
import { useMatch } from "./harness/match";
import type { Pane } from "./harness/pane";
import { screenshot } from "./harness/screenshot";

const match = useMatch();

const presence = (pane: Pane) => pane.part("presence").getAttribute("data-presence");

test("two people in two browsers: online, typing, message, read, and offline when one closes the page", async () => {
  const { ada, grace, open } = match();
  await expect.poll(() => presence(ada.pane)).toBe("online");
  await expect.poll(() => presence(grace.pane)).toBe("online");
  await expect.poll(() => ada.page.getByTestId("pane-grace").count()).toBe(0);

  await ada.pane.type("Are you there?");
  await grace.pane.part("typing").filter({ hasText: "Ada is typing" }).waitFor();
  await ada.pane.press("composer-send");
  await expect.poll(() => grace.pane.messages()).toEqual(["Are you there?"]);
  await expect.poll(() => grace.pane.part("typing").innerText()).toBe("");
  await expect.poll(() => ada.pane.deliveries()).toEqual(["Read"]);

  await grace.page.close();
  await expect.poll(() => presence(ada.pane), { timeout: 5_000 }).toBe("offline");
  await ada.pane.write("You left.");
  await expect.poll(() => ada.pane.deliveries()).toEqual(["Read", "Sent"]);

  const again = await open("grace");
  await expect.poll(() => presence(ada.pane), { timeout: 5_000 }).toBe("online");
  await expect.poll(() => again.pane.messages()).toEqual(["Are you there?", "You left."]);
  await expect.poll(() => ada.pane.deliveries()).toEqual(["Read", "Read"]);
});

test("who has no connection does not claim to know who is online", async () => {
  const { ada, grace } = match();
  await expect.poll(() => presence(ada.pane)).toBe("online");
  await ada.pane.press("disconnect");
  await expect.poll(() => presence(ada.pane)).toBe("unknown");
  await expect.poll(() => presence(grace.pane)).toBe("offline");
  await ada.pane.press("reconnect");
  await expect.poll(() => presence(ada.pane)).toBe("online");
  await expect.poll(() => presence(grace.pane)).toBe("online");
});

test("after a reload the history comes in pages, in order and without holes", async () => {
  const { ada, grace } = match();
  const written = Array.from({ length: 60 }, (_, index) => `message ${index + 1}`);
  for (const content of written) await ada.pane.write(content);
  await expect.poll(() => grace.pane.messages()).toEqual(written);
  // What it heard live needs no page.
  await expect.poll(() => grace.pane.part("earlier").count()).toBe(0);

  await grace.page.reload();
  await expect.poll(() => grace.pane.messages()).toEqual(written.slice(-25));
  await screenshot(grace.page, "history");
  await grace.pane.press("earlier");
  await expect.poll(() => grace.pane.messages()).toEqual(written.slice(-50));
  await ada.pane.write("meanwhile");
  await expect.poll(() => grace.pane.messages()).toEqual([...written.slice(-50), "meanwhile"]);
  await grace.pane.part("earlier").focus();
  await grace.page.keyboard.press("Enter");
  await expect.poll(() => grace.pane.messages()).toEqual([...written, "meanwhile"]);
  await grace.pane.part("earlier").waitFor({ state: "detached" });
  // The keyboard is still in the conversation.
  await expect.poll(() => grace.page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("log");
});

test("five attempts fail: a toast says so, and its button goes on when the server is back", async () => {
  const { server, ada, grace } = match();
  await ada.pane.write("before");
  await expect.poll(() => grace.pane.messages()).toEqual(["before"]);
  const toast = ada.page.getByTestId("toast");
  await ada.guard.duringOutage(() =>
    grace.guard.duringOutage(async () => {
      await server.kill();
      await ada.pane.write("patience");
      await Promise.all([ada.pane.reaches("given_up"), grace.pane.reaches("given_up")]);
      await expect.poll(() => toast.innerText()).toMatch(/^Ada · Real-time connection lost\.\s+Reconnect\s+Dismiss$/);
      await ada.pane.logs("give_up", /after 5 attempts/);
      await screenshot(ada.page, "toast");
      await ada.page.setViewportSize({ width: 375, height: 800 });
      await screenshot(ada.page, "toast-mobile");

      await server.restart();
      await ada.page.getByTestId("toast-retry").click();
      // On the other side with the keyboard alone.
      await grace.page.getByTestId("toast-retry").focus();
      await grace.page.keyboard.press("Enter");
      await Promise.all([ada.pane.reaches("open"), grace.pane.reaches("open")]);
    }),
  );
  await toast.waitFor({ state: "detached" });
  await expect.poll(() => grace.pane.messages()).toEqual(["before", "patience"]);
  await grace.pane.write("after");
  await expect.poll(() => ada.pane.messages()).toEqual(["before", "patience", "after"]);
});

test("a notification of the server becomes a toast that can be dismissed", async () => {
  const { server, ada, grace } = match();
  const notification = { title: "Match", text: "Your match ends tomorrow.", level: "warning" };
  await server.push(ada.pane.userId, "notification", notification);
  const toast = ada.page.getByTestId("toast").filter({ hasText: "Match: Your match ends tomorrow." });
  await toast.waitFor();
  await expect.poll(() => toast.getAttribute("data-type")).toBe("warning");
  await toast.getByTestId("toast-dismiss").click();
  await toast.waitFor({ state: "detached" });
  await expect.poll(() => grace.page.getByTestId("toast").count()).toBe(0);
});
