import { expect, test } from "vitest";
import { ids, report } from "./harness/tally";
import { useWorld } from "./harness/world";

const world = useWorld();

test("messages that a black hole swallows before the connection drops are processed once", async () => {
  const { proxy, options, open, processed } = world();
  const tab = await open();
  await tab.start(options);
  await tab.isOpen();
  expect((await tab.call("snapshot")).delivery).toBe("reliable");
  await tab.call("join", "s1");
  await proxy.rule({ fault: "swallow", for_ms: 300 });
  const sent = ids(5);
  expect(await tab.call("say", "s1", sent)).toBe(5);
  await proxy.rule({ fault: "reset", after_ms: 300 });
  await tab.allAre("acknowledged");
  report("black hole 300 ms, then drop", sent, await processed());
});
