import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";

const demo = useDemo();

test("the page opens and both panes connect", async () => {
  const { ada, grace } = demo();
  await ada.says(/^Connected/);
  await grace.says(/^Connected/);
  await ada.logs("open", /connected/);
  // The first ping goes out one heartbeat interval after the connection opened.
  await expect.poll(() => ada.part("rtt").innerText()).toMatch(/^(< 1|\d+) ms$/);
});

test("a message from Ada reaches Grace, announced by a typing indicator", async () => {
  const { ada, grace } = demo();
  await ada.type("Is the engine running?");
  await grace.part("typing").filter({ hasText: "Ada is typing" }).waitFor();
  await ada.press("composer-send");

  await expect.poll(() => grace.messages()).toEqual(["Is the engine running?"]);
  await expect.poll(() => grace.part("typing").innerText()).toBe("");
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await expect.poll(() => ada.part("typing").innerText()).toBe("");
});

test("the typing indicator clears when the writer stops", async () => {
  const { ada, grace } = demo();
  await grace.type("Hm");
  await ada.part("typing").filter({ hasText: "Grace is typing" }).waitFor();
  await expect.poll(() => ada.part("typing").innerText()).toBe("");
});

test("messages in both directions appear in the same order on both sides", async () => {
  const { ada, grace } = demo();
  const written: string[] = [];
  for (const [pane, other, content] of [
    [ada, grace, "one"],
    [grace, ada, "two"],
    [ada, grace, "three"],
  ] as const) {
    await pane.write(content);
    written.push(content);
    await expect.poll(() => other.messages()).toEqual(written);
  }
  await expect.poll(() => ada.messages()).toEqual(written);
  await expect.poll(() => grace.messages()).toEqual(written);
});

test("a message over the size limit is refused in the conversation, and the next one goes through", async () => {
  const { server, ada, grace } = demo();
  await ada.write("x".repeat(11_000));
  await expect.poll(() => ada.deliveries()).toEqual([expect.stringMatching(/^Not sent: .*10 ?240/)]);
  await ada.write("short");
  await expect.poll(() => grace.messages()).toEqual(["short"]);
  await expect.poll(() => server.received(ada.userId, "send_message")).toHaveLength(1);
});
