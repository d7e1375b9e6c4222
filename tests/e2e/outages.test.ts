import { expect, test } from "vitest";
import { useFaultyDemo } from "./harness/demo";
import { screenshot } from "./harness/screenshot";

// Of what is sent, nothing more is known: the page fetches what was missed.
const demo = useFaultyDemo("at-most-once");

interface SendMessage {
  readonly content: string;
}

test("the server process dies and comes back: what was written meanwhile arrives in order, exactly once", async () => {
  const { server, page, guard, ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => grace.messages()).toEqual(["before"]);
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);

  const meanwhile = Array.from({ length: 8 }, (_, index) => `written during the outage, ${index + 1}`);
  await guard.duringOutage(async () => {
    await server.kill();
    await ada.says(/Reconnecting: attempt \d of 5 in \d\.\d s \((connection lost, code 1006|server unreachable)\)/);
    await ada.hears(/Reconnecting: attempt \d of 5/);
    for (const content of meanwhile) await ada.write(content);
    await expect.poll(() => ada.deliveries()).toEqual(["Read", ...meanwhile.map(() => "Sending")]);
    await expect.poll(() => ada.queued()).toBe(String(meanwhile.length));
    await expect.poll(() => grace.messages()).toEqual(["before"]);
    await screenshot(page, "outage");

    await server.restart();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });

  await expect.poll(() => ada.deliveries()).toEqual(["before", ...meanwhile].map(() => "Read"));
  await expect.poll(() => ada.queued()).toBe("0");
  await expect.poll(() => grace.messages()).toEqual(["before", ...meanwhile]);
  await ada.write("after");
  await expect.poll(() => grace.messages()).toEqual(["before", ...meanwhile, "after"]);
  const arrived = await server.received<SendMessage>(ada.userId, "send_message");
  expect(arrived.map((frame) => frame.content)).toEqual([...meanwhile, "after"]);
});

test("both sides write while the server is away, and each sees all of the other's messages in order", async () => {
  const { server, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await server.kill();
    await Promise.all([ada.says(/^Reconnecting/), grace.says(/^Reconnecting/)]);
    for (const number of [1, 2, 3]) {
      await ada.write(`Ada ${number}`);
      await grace.write(`Grace ${number}`);
    }
    await server.restart();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  const from = (who: string) => (messages: string[]) => messages.filter((content) => content.startsWith(who));
  await expect.poll(() => grace.messages().then(from("Ada"))).toEqual(["Ada 1", "Ada 2", "Ada 3"]);
  await expect.poll(() => ada.messages().then(from("Grace"))).toEqual(["Grace 1", "Grace 2", "Grace 3"]);
});

test("a link that has died is noticed by the heartbeat in time, and the connection recovers", async () => {
  const { proxy, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    const died = performance.now();
    await proxy.rule({ fault: "half_open", direction: "down" });
    await ada.logs("close", /server stopped answering, code 1006/);
    const noticed = performance.now() - died;
    // One interval until the next ping, one deadline for its pong, and three seconds for a busy machine, where a deadline that
    // was noticed late is extended by a second ping.
    expect(noticed).toBeLessThan(5_000 + 2_000 + 3_000);
    await proxy.heal();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await grace.write("Are you back?");
  await expect.poll(() => ada.messages()).toEqual(["Are you back?"]);
});

// The proxy does not know whose connection is whose, so the server is what fails only one side.
test("what the other side wrote while the server did not answer this one is caught up", async () => {
  const { ada, grace } = demo();
  await ada.breaks("stop-answering");
  await grace.write("Can you hear me?");
  await expect.poll(() => ada.messages()).toEqual(["Can you hear me?"]);
  await ada.logs("close", /code 1006/);
});

test("a connection that the server drops recovers, and the other side is not affected", async () => {
  const { ada, grace } = demo();
  await ada.breaks("drop-connection");
  await ada.says(/^Reconnecting: attempt 1 of 5/);
  await ada.reaches("open");
  await ada.write("still here");
  await expect.poll(() => grace.messages()).toEqual(["still here"]);
  await expect.poll(() => grace.part("log").locator("[data-event=close]").count()).toBe(0);
});

test("a restart that refuses connections for ten seconds is explained and survived", async () => {
  const { page, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await page.getByTestId("restart-refused").click();
    await ada.says(/^Reconnecting: attempt 1 of 5 in \d\.\d s \(server restarting, code 1012\)/);
    await page
      .getByTestId("restart-refused")
      .filter({ hasText: /Refusing for \d+ s/ })
      .waitFor();
    await ada.write("written while refused");
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["written while refused"]);
});

test("going offline pauses the attempts, and coming back resumes at once", async () => {
  const { proxy, page, guard, ada, grace } = demo();
  const toggle = page.getByTestId("toggle-network");
  const back = toggle.filter({ hasText: "Back online" });
  await guard.duringOutage(async () => {
    await toggle.click();
    // The page tells the server first, which needs the network.
    await back.waitFor();
    await proxy.rule({ fault: "swallow" });
    await Promise.all([ada.says(/^Offline: waiting for the network/), grace.says(/^Offline: waiting for the network/)]);
    await ada.write("from the tunnel");
    await expect.poll(() => ada.deliveries()).toEqual(["Sending"]);
    await expect.poll(() => ada.queued()).toBe("1");
    await proxy.heal();
    await back.click();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["from the tunnel"]);
});

test("disconnecting stays disconnected, keeps what is written, and Reconnect delivers it", async () => {
  const { ada, grace } = demo();
  await ada.press("disconnect");
  await ada.says(/^Disconnected/);
  await ada.write("for later");
  await expect.poll(() => ada.deliveries()).toEqual(["Sending"]);
  await expect.poll(() => ada.queued()).toBe("1");
  await ada.press("reconnect");
  await expect.poll(() => grace.messages()).toEqual(["for later"]);
});

test("more than two pages of history that were missed are caught up in order and without holes", async () => {
  const { ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => grace.messages()).toEqual(["before"]);
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await grace.press("disconnect");
  await grace.reaches("idle");
  const missed = Array.from({ length: 60 }, (_, index) => `missed ${index + 1}`);
  for (const content of missed) await ada.write(content);
  await expect.poll(() => ada.deliveries()).toEqual(["Read", ...missed.map(() => "Sent")]);
  await grace.press("reconnect");
  await expect.poll(() => grace.messages()).toEqual(["before", ...missed]);
  await expect.poll(() => grace.part("earlier").count()).toBe(0);
});

test("a message that was lost with its connection is said to be so, and arrives when it is tried again", async () => {
  const { proxy, guard, ada, grace } = demo();
  await ada.write("before");
  await expect.poll(() => grace.messages()).toEqual(["before"]);
  await expect.poll(() => ada.deliveries()).toEqual(["Read"]);
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "swallow", direction: "up" });
    await ada.write("into the void");
    await expect.poll(() => ada.deliveries()).toEqual(["Read", "Sent"]);
    await ada.logs("close", /code 1006/);
    await proxy.heal();
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect
    .poll(() => ada.deliveries())
    .toEqual(["Read", expect.stringMatching(/^Not sent: the connection was lost/)]);
  await expect.poll(() => grace.messages()).toEqual(["before"]);
  await ada.press("retry");
  await expect.poll(() => grace.messages()).toEqual(["before", "into the void"]);
  await expect.poll(() => ada.deliveries()).toEqual(["Read", "Read"]);
});
