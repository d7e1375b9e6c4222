import { expect, test } from "vitest";
import { report, say } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

test("a request gets its reply, and one that the server refuses says so", async () => {
  const { options, open } = world();
  const tab = await open();
  await tab.start(options);
  const asked = Array.from({ length: 100 }, (_, index) => `q${index}`);
  const replies = await Promise.all(asked.map((n) => tab.call("ask", "echo", { n })));
  report(
    "100 requests at once",
    asked,
    replies.map((reply) => (reply as { n: string }).n),
    "answered",
  );
  expect(await tab.call("ask", "no such thing", {})).toBe("refused");
  expect(await tab.call("ask", "message_sent", { session_id: "nobody's", message: { id: "m", content: "" } })).toBe(
    "refused",
  );
});

test("a reply that is lost with the connection comes with the next one, and the request is processed once", async () => {
  const { server, proxy, user, options, open } = world();
  const tab = await open();
  await tab.start({ ...options, heartbeat: {} });
  await tab.isOpen();
  await proxy.rule({ fault: "swallow", direction: "down" });
  const reply = tab.call("ask", "echo", { n: 1 });
  await expect.poll(async () => (await server.processed(user)).length).toBe(1);
  await expect.poll(() => proxy.bytes("swallow")).toBeGreaterThan(0);
  await proxy.heal();
  await proxy.rule({ fault: "reset" });
  expect(await reply).toEqual({ n: 1 });
  expect(await tab.read("closes")).toHaveLength(1);
  expect((await server.processed(user)).map(({ type }) => type)).toEqual(["echo"]);
  expect((await tab.call("snapshot")).protocolErrors).toBe(0);
  say("request whose reply was lost with the connection: processed 1, answered 1");
});

test("a request that never reaches the server is answered once the server is back", async () => {
  const { server, proxy, user, options, open } = world();
  const tab = await open();
  await proxy.rule({ fault: "refuse" });
  await tab.start(options);
  const reply = tab.call("ask", "echo", { n: 2 });
  await expect.poll(() => tab.read("closes").then((closes) => closes.length)).toBeGreaterThan(0);
  await proxy.heal();
  expect(await reply).toEqual({ n: 2 });
  expect(await server.processed(user)).toHaveLength(1);
});

test("a request without a reply ends after its time, and a late reply is nobody's", async () => {
  const { proxy, options, open } = world();
  const tab = await open();
  await tab.start({ ...options, heartbeat: {} });
  await tab.isOpen();
  await proxy.rule({ fault: "half_open", direction: "down" });
  expect(await tab.call("ask", "echo", { n: 3 }, 200)).toBe("timed_out");
  await proxy.heal();
  await expect.poll(async () => (await tab.call("snapshot")).protocolErrors).toBe(1);
  expect(await tab.read("errors")).toEqual(["protocol_error"]);
  expect(await tab.call("ask", "echo", { n: 4 })).toEqual({ n: 4 });
});

test("giving up and disconnecting end the requests that wait", async () => {
  const { proxy, options, open } = world();
  const tab = await open();
  await proxy.rule({ fault: "refuse" });
  const givesUp = { ...options, reconnect: { initialDelayMs: 1, maxDelayMs: 1, maxAttempts: 2 } };
  expect(await tab.startAndAsk(givesUp, "echo", {})).toBe("abandoned");
  expect((await tab.call("snapshot")).phase).toBe("given_up");

  const other = await open();
  await other.start(options);
  const reply = other.call("ask", "echo", {});
  await other.call("disconnect");
  expect(await reply).toBe("abandoned");
});
