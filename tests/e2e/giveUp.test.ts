import { expect, test } from "vitest";
import { useDemo } from "./harness/demo";
import { screenshot } from "./harness/screenshot";

const demo = useDemo();

test("after five attempts the page says that it gave up, and Reconnect revives the connection", async () => {
  const { server, page, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await server.kill();
    await ada.write("patience");
    await Promise.all([ada.reaches("given_up"), grace.reaches("given_up")]);
    await ada.says(/^Gave up after 5 attempts \(server unreachable\)/);
    await ada.hears(/^Gave up after 5 attempts/);
    await ada.logs("give_up", /after 5 attempts/);
    await screenshot(page, "gave-up");
    await server.restart();
    await ada.press("reconnect");
    await grace.press("reconnect");
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["patience"]);
});
