// What it costs to route one event from frame text to handler, and to make the first client of a page.

import { inFreshPage, launch } from "./common/chromium.mjs";
import { cell, cells, quantile } from "./common/figures.mjs";
import { serve } from "./common/serve.mjs";

const FRESH_PAGES = 15;
const ROUTING_TARGET = 1.3;
const FIRST_CLIENT_TARGET_MS = 5;

const site = await serve("dispatch");
const browser = await launch();
try {
  const routing = await inFreshPage(browser, site.origin, "measureRouting");
  const firsts = [];
  for (let page = 0; page < FRESH_PAGES; page++) {
    firsts.push(await inFreshPage(browser, site.origin, "measureFirstClient"));
  }
  report(routing, firsts);
} finally {
  await browser.close();
  site.close();
}

function report({ bytes, rounds, events, router, client, reliable }, firsts) {
  const against = (times) => times.map((nanoseconds, round) => nanoseconds / router[round]);
  const ratios = against(client);
  console.log(`
one event of ${bytes} bytes, from frame text to handler; Chromium ${browser.version()}, ${rounds} alternating rounds of ${events} events

                               median       p10       p90
  hand-written router     ${cells(router, 0)}   ns
  at most once            ${cells(client, 0)}   ns
  ratio                   ${cells(ratios, 2)}   ${verdict(quantile(ratios, 0.5), ROUTING_TARGET)}
  reliable                ${cells(reliable, 0)}   ns
  ratio                   ${cells(against(reliable), 2)}   no target of its own: see \`bench flood\`

first \`new NativeSocketClient()\` of a page, with compiling and instantiating the module; ${firsts.length} fresh pages

                               median       min       max
  everwire                ${[0.5, 0, 1].map((q) => cell(quantile(firsts, q), 2)).join("")}   ms, ${verdict(quantile(firsts, 0.5), FIRST_CLIENT_TARGET_MS)}
`);
}

function verdict(measured, target) {
  return `${measured <= target ? "within" : "OVER"} target (${target})`;
}
