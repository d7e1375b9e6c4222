// A list that takes in a thousand events a second: whether one is lost, how often it renders, and how busy the page is with it.

import { launch, openPage } from "./common/chromium.mjs";
import { startServer } from "./react/server.mjs";

const PER_SECOND = 1_000;
const SECONDS = 10;
const MOST_BUSY = 0.5;

const server = await startServer();
const browser = await launch();
const broken = [];
try {
  console.log(`
${PER_SECOND} events a second for ${SECONDS} s into a mounted list that shows the last 100, over loopback; Chromium ${browser.version()}
`);
  for (const [list, name] of [
    ["hook", "useEventState"],
    ["conversation", "useSession"],
  ]) {
    const hook = await measure(list);
    print(name, hook);
    expect(`none of ${hook.count} events is lost`, hook.count === PER_SECOND * SECONDS && hook.isComplete);
    expect("at most one render a frame", hook.commits === hook.framesWithCommit && hook.commits <= hook.frames);
    expect(`the main thread is busy for less than ${percent(MOST_BUSY)}`, hook.busy < MOST_BUSY);
    console.log();
  }
  print("useEvent and useState", await measure("state"));
  console.log("    for comparison: what an application writes by hand\n");
} finally {
  await browser.close();
  server.close();
}
if (broken.length > 0) {
  console.log(`broken: ${broken.join("; ")}\n`);
  process.exitCode = 1;
}

async function measure(list) {
  const page = await openPage(browser, server.origin, "measureList");
  const session = await page.context().newCDPSession(page);
  await page.evaluate((name) => window.mountList(name), list);
  // The first second compiles what the rest of the time runs.
  await page.evaluate(([events, perSecond]) => window.measureList(events, perSecond), [PER_SECOND, PER_SECOND]);
  await page.evaluate(() => window.unmountList());
  await page.evaluate((name) => window.mountList(name), list);
  // The thread's own time, so that what else the machine does counts for nothing.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await metrics(session);
  const measured = await page.evaluate(
    ([events, perSecond]) => window.measureList(events, perSecond),
    [PER_SECOND * SECONDS, PER_SECOND],
  );
  const after = await metrics(session);
  await page.context().close();
  const share = (name) => ((after[name] - before[name]) * 1_000) / measured.milliseconds;
  return { ...measured, busy: share("TaskDuration"), script: share("ScriptDuration"), layout: share("LayoutDuration") };
}

/** Of the page's main thread, in seconds. */
async function metrics(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

function print(name, { milliseconds, count, frames, commits, framesWithCommit, busy, script, layout }) {
  console.log(`${name}
    ${count} events in ${(milliseconds / 1_000).toFixed(1)} s, ${frames} frames, ${commits} renders in ${framesWithCommit} of them
    main thread busy ${percent(busy)}, of it script ${percent(script)}, layout ${percent(layout)}`);
}

function expect(what, isTrue) {
  if (!isTrue) broken.push(what);
  console.log(`    ${isTrue ? "holds" : "BROKEN"}: ${what}`);
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
