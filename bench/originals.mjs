// The figures that the two original systems name, measured in a page that talks to the reference server over loopback.

import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { launch, openPage } from "./common/chromium.mjs";
import { cells, quantile } from "./common/figures.mjs";
import { measureBroadcast } from "./originals/broadcast.mjs";
import { Server } from "./originals/server.mjs";
import { buildSite } from "./originals/site.mjs";

const ROUNDS = 60;
const RESTARTED_CLIENTS = 20;
const CRASHES = 3;
/** A server that is restarted is not back at once. */
const DOWN_MS = 500;
const MORE_CLIENTS = 100;
const BROADCAST_MEMBERS = 1_000;
const KB = 1_024;

const site = await buildSite();
const server = new Server(site.folder);
let browser;
const broken = [];
try {
  await server.start();
  browser = await launch();
  console.log(`
Chromium ${browser.version()}, ${server.program.includes("/debug/") ? "a debug build" : "a build"} of the reference server, loopback; bounds hold for the median

                                  median       p10       p90`);
  await latencies();
  await rendering();
  await restarts();
  await memory();
  bundle();
} finally {
  await browser?.close();
  await server.end("SIGKILL");
  await site.remove();
}
if (broken.length > 0) {
  console.log(`broken: ${broken.join(", ")}\n`);
  process.exitCode = 1;
}

async function latencies() {
  const page = await openPage(browser, server.origin, "measureConnect");
  const measure = (name) => page.evaluate(([name, rounds]) => window[name](rounds), [name, ROUNDS]);
  bounded("connect", await measure("measureConnect"), "ms", 100);
  note("the first client of a page also loads the module: see `bench dispatch`");
  bounded("message to another user", await measure("measureMessage"), "ms", 50);
  bounded("emotion, pushed over HTTP", await measure("measureEmotion"), "ms", 50);
  bounded("typing", await measure("measureTyping"), "ms", 50);
  bounded("token check, at most", await measure("measureToken"), "ms", 10);
  note("a whole GET /api/matches with a token; checking it is a part of that, and of connect");
  await page.context().close();
  bounded(
    `broadcast to ${BROADCAST_MEMBERS}`,
    await measureBroadcast(server.origin, BROADCAST_MEMBERS, ROUNDS),
    "ms",
    100,
  );
  note(
    "until the last of them has it; sender and receivers share one process, which shares the processors with the server",
  );
}

async function rendering() {
  const page = await openPage(browser, server.origin, "measureUpdate");
  const { committed, painted } = await page.evaluate((rounds) => window.measureUpdate(rounds), ROUNDS);
  bounded("UI update, painted", painted, "ms", 20);
  note("from the frame at the socket to after the paint; a browser that is animating paints every 16.7 ms");
  row("  of it until the document", committed, "ms");
  const hook = await page.evaluate((rounds) => window.measureHook(rounds), ROUNDS);
  const micro = hook.map((milliseconds) => milliseconds * 1_000);
  bounded("useWebSocket, a render", micro, "µs", 1_000);
  note("what a component takes longer to render with it than without");
  await page.context().close();
}

async function restarts() {
  const crash = [];
  for (let number = 0; number < CRASHES; number++) crash.push(...(await back("SIGKILL")));
  bounded("back after a crash", crash, "ms", 5_000);
  note(
    `of 1 to 5 s; the server is down for ${DOWN_MS} ms or a little more. The first wait is 1 s ± 50 % by jitter, so some are`,
  );
  note("back sooner; the longest wait, 5 s, becomes 7.5 s, for clients of a server that stays away for longer");
  row("back after a drain", await back("SIGTERM"), "ms");
  note("no bound: a server that closes with 1012 asks for time, and clients wait for at least their longest wait");
}

/** How long after the signal each client is open again. */
async function back(signal) {
  const page = await openPage(browser, server.origin, "openMany");
  await page.evaluate((count) => window.openMany(count), RESTARTED_CLIENTS);
  const allBack = page.evaluate(() => window.whenBack());
  const signalledAt = Date.now();
  await server.end(signal);
  await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
  await server.start();
  const times = await allBack;
  await page.context().close();
  return times.map((time) => time - signalledAt);
}

async function memory() {
  const page = await openPage(browser, server.origin, "makeClients");
  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  const more = async (count) => {
    const wasm = await page.evaluate((count) => window.makeClients(count), count);
    return { wasm, heap: await heap() };
  };
  const before = await heap();
  const first = await more(1);
  const all = await more(MORE_CLIENTS);
  await page.context().close();
  const scripts = all.heap - first.heap;
  const wasm = all.wasm - first.wasm;
  console.log(`
memory of the first client      ${kilobytes(first.wasm)} of the module's pages, ${kilobytes(first.heap - before)} of the script heap: what all clients of a page share`);
  const each = (scripts + wasm) / MORE_CLIENTS;
  console.log(
    `memory of another client, open  ${kilobytes(each)}, of ${MORE_CLIENTS}: script heap ${kilobytes(scripts / MORE_CLIENTS)}, module's pages ${kilobytes(wasm / MORE_CLIENTS)}; ${verdict("memory of a client", each / KB, 10, "KB")}`,
  );
}

function bundle() {
  const size = (...names) =>
    names
      .map((name) => brotliCompressSync(readFileSync(new URL(`../pkg/dist/${name}`, import.meta.url))).length)
      .reduce((sum, bytes) => sum + bytes);
  const slim = size("slim.js", "everwire_bg.wasm");
  console.log(`
bundle, Brotli                  everwire ${kilobytes(size("index.js"))}, everwire/slim ${kilobytes(slim)}, everwire/react ${kilobytes(size("react.js"))};
                                originals: 8 KB, limit 20 KB: ${slim > 20 * KB ? "EXCEEDED" : "kept"}. Asserted are the budgets of \`cargo xtask size\`. It is more than
                                they claim because the protocol is a state machine in WebAssembly, with acknowledgement, resumption and
                                back-pressure, which the originals do not have
`);
}

function bounded(name, numbers, unit, bound) {
  row(name, numbers, unit, verdict(name, quantile(numbers, 0.5), bound, unit));
}

function row(name, numbers, unit, verdict = "") {
  console.log(`${name.padEnd(28)}${cells(numbers, unit === "ms" ? 1 : 2)}   ${unit}  ${verdict}`.trimEnd());
}

function note(text) {
  console.log(`    ${text}`);
}

function verdict(name, measured, bound, unit) {
  const isWithin = measured <= bound;
  if (!isWithin) broken.push(name);
  return `${isWithin ? "within" : "OVER"} ${bound} ${unit}`;
}

function kilobytes(bytes) {
  return `${(bytes / KB).toFixed(1)} KB`;
}
