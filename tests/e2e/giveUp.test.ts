import { expect, test } from "vitest";
import { useFaultyDemo } from "./harness/demo";
import { screenshot } from "./harness/screenshot";

const demo = useFaultyDemo();

test("after five attempts the page says that it gave up, and Reconnect revives the connection", async () => {
  const { proxy, page, guard, ada, grace } = demo();
  await guard.duringOutage(async () => {
    await proxy.rule({ fault: "refuse" });
    await proxy.rule({ fault: "reset" });
    await ada.write("patience");
    await Promise.all([ada.reaches("given_up"), grace.reaches("given_up")]);
    await ada.says(/^Gave up after 5 attempts \(server unreachable\)/);
    await ada.hears(/^Gave up after 5 attempts/);
    await ada.logs("give_up", /after 5 attempts/);
    await screenshot(page, "gave-up");
    await proxy.heal();
    await ada.press("reconnect");
    await grace.press("reconnect");
    await Promise.all([ada.reaches("open"), grace.reaches("open")]);
  });
  await expect.poll(() => grace.messages()).toEqual(["patience"]);
});
