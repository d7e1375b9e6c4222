// What it costs to route one event from frame text to handler, and to make the first client of a page.

import { env } from "node:process";
import { chromium } from "playwright-core";
import { serve } from "./dispatch/serve.mjs";

const FRESH_PAGES = 15;
const ROUTING_TARGET = 1.3;
const FIRST_CLIENT_TARGET_MS = 5;

const site = await serve();
const browser = await chromium.launch({
  ...(env.CHROMIUM ? { executablePath: env.CHROMIUM } : {}),
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});
try {
  const routing = await inFreshPage((page) => page.evaluate(() => window.measureRouting()));
  const firsts = [];
  for (let page = 0; page < FRESH_PAGES; page++) {
    firsts.push(await inFreshPage((page) => page.evaluate(() => window.measureFirstClient())));
  }
  report(routing, firsts);
} finally {
  await browser.close();
  site.close();
}

async function inFreshPage(measure) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(site.origin);
  await page.waitForFunction(() => "measureRouting" in window);
  const measured = await measure(page);
  await context.close();
  return measured;
}

function report({ bytes, rounds, events, router, client }, firsts) {
  const ratios = client.map((nanoseconds, round) => nanoseconds / router[round]);
  console.log(`
one event of ${bytes} bytes, from frame text to handler; Chromium ${browser.version()}, ${rounds} alternating rounds of ${events} events

                               median       p10       p90
  hand-written router     ${cells(router, 0)}   ns
  everwire                ${cells(client, 0)}   ns
  ratio                   ${cells(ratios, 2)}   ${verdict(quantile(ratios, 0.5), ROUTING_TARGET)}

first \`new NativeSocketClient()\` of a page, with compiling and instantiating the module; ${firsts.length} fresh pages

                               median       min       max
  everwire                ${[0.5, 0, 1].map((q) => cell(quantile(firsts, q), 2)).join("")}   ms, ${verdict(quantile(firsts, 0.5), FIRST_CLIENT_TARGET_MS)}
`);
}

function verdict(measured, target) {
  return `${measured <= target ? "within" : "OVER"} target (${target})`;
}

function cells(numbers, digits) {
  return [0.5, 0.1, 0.9].map((q) => cell(quantile(numbers, q), digits)).join("");
}

function cell(number, digits) {
  return number.toFixed(digits).padStart(10);
}

function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}
