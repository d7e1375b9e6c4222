import { expect, test } from "vitest";
import { useFaultyDemo } from "./harness/demo";

const demo = useFaultyDemo("at-most-once");

/** Both write and both are heard, each once and in order. */
async function chats(): Promise<void> {
  const { ada, grace } = demo();
  await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  const before = { ada: await ada.messages(), grace: await grace.messages() };
  await ada.write("Ada again");
  await expect.poll(() => grace.messages()).toEqual([...before.grace, "Ada again"]);
  await grace.write("Grace again");
  await expect.poll(() => ada.messages()).toEqual([...before.ada, "Ada again", "Grace again"]);
}

test("a black hole is noticed by the missing pong, and what is written until it ends arrives in order", async () => {
  const { proxy, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "swallow" });
    await ada.logs("close", /server stopped answering, code 1006/);
    for (const content of ["one", "two", "three"]) await ada.write(content);
    await expect.poll(() => ada.deliveries()).toEqual(["Sending", "Sending", "Sending"]);
    await expect.poll(() => ada.queued()).toBe("3");
    await proxy.heal();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["one", "two", "three"]);
  await chats();
});

test("a proxy that stops reading is noticed by the missing pong", async () => {
  const { proxy, guard, ada } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "half_open", direction: "up" });
    await ada.logs("close", /server stopped answering, code 1006/);
    await proxy.heal();
    await chats();
  });
});

test("a frame that is cut in its middle and never goes on is noticed by the missing pong", async () => {
  const { proxy, guard, ada } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "stall", direction: "down", after_bytes: 1 });
    await ada.logs("close", /server stopped answering, code 1006/);
    await proxy.heal();
    await chats();
  });
});

test("connections that are reset come back", async () => {
  const { proxy, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "reset" });
    await Promise.all([ada.logs("close", /code 1006/), grace.logs("close", /code 1006/)]);
    await chats();
  });
});

test("connections that are refused for a while come back", async () => {
  const { proxy, guard, ada } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "refuse", for_ms: 3_000 });
    await proxy.rule({ fault: "reset" });
    await ada.says(/^Reconnecting: attempt [2-5] of 5/);
    await chats();
  });
});

test("a slow and jittery network keeps every message and its order", async () => {
  const { proxy, ada, grace } = demo();
  await proxy.rule({ fault: "latency", ms: 80, jitter_ms: 60 });
  const written = Array.from({ length: 10 }, (_, index) => `slow ${index + 1}`);
  for (const content of written) await ada.write(content);
  await expect.poll(() => grace.messages()).toEqual(written);
  await expect.poll(() => ada.part("log").locator("[data-event=close]").count()).toBe(0);
});
