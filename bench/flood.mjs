// How many events a page takes in and how many messages it sends in a second, over a real socket, compared with a raw one.

import { inFreshPage, launch } from "./common/chromium.mjs";
import { cells, quantile } from "./common/figures.mjs";
import { serve } from "./common/serve.mjs";
import { eventText } from "./flood/events.mjs";
import { answerUpgrades } from "./flood/server.mjs";

const TARGETS = {
  "at-most-once": { in: 0.95, out: 0.95 },
  reliable: { in: 0.92, out: 0.85 },
};

/**
 * Rounds are short and many, because what else the machine does disturbs a few of them and not the median. The messages of a round fill the
 * reliable mode's window, and not quite the 256 KiB from which on a client looks every 20 ms whether the browser's buffer has drained.
 */
const PLAN = { rounds: 300, warmUpRounds: 10, longestMs: 160_000, events: 1_000, messages: 1_500 };

const site = await serve("flood", ["page.mjs", "lanes.mjs", "events.mjs"]);
answerUpgrades(site.server);
const browser = await launch();
try {
  report(await inFreshPage(browser, site.origin, "measureFlood", PLAN));
} finally {
  await browser.close();
  site.close();
}

function report(results) {
  const [{ raw }] = results;
  const sent = results.find(({ direction }) => direction === "out");
  console.log(`
${PLAN.events} events of ${Math.round(bytesOfEvent())} bytes in, ${PLAN.messages} messages of ${Math.round(sent.raw[0].bytes)} bytes out, without what the reliable mode adds, over loopback;
Chromium ${browser.version()}, ${raw.length} rounds in random order in one page, in thousands a second
`);
  for (const measure of results) printMeasure(measure);
}

function printMeasure({ direction, delivery, raw, everwire }) {
  const thousands = ({ perSecond }) => perSecond / 1_000;
  const ratios = everwire.map(({ perSecond }, round) => perSecond / raw[round].perSecond);
  const what = direction === "in" ? "events in" : "messages out";
  console.log(`${`${what}, ${delivery.replaceAll("-", " ")}`.padEnd(28)}    median       p10       p90
  raw socket              ${cells(raw.map(thousands), 1)}
  everwire                ${cells(everwire.map(thousands), 1)}
  ratio                   ${cells(ratios, 2)}   ${verdict(quantile(ratios, 0.5), TARGETS[delivery][direction])}, median ±${uncertainty(ratios).toFixed(3)}`);
  if (direction === "out") {
    console.log(
      `  server busy, raw        ${cells(
        raw.map(({ busy }) => busy),
        2,
      )}`,
    );
    if (delivery === "reliable")
      console.log(
        `  acknowledgements        ${cells(
          everwire.map(({ acks }) => acks),
          0,
        )}`,
      );
  }
  console.log();
}

/** Half the width of the interval in which the median lies with 95 % confidence, by the binomial distribution of ranks. */
function uncertainty(numbers) {
  const ranks = 0.98 / Math.sqrt(numbers.length);
  return (quantile(numbers, 0.5 + ranks) - quantile(numbers, 0.5 - ranks)) / 2;
}

function verdict(measured, target) {
  return `${measured >= target ? "within" : "UNDER"} target (${target})`;
}

function bytesOfEvent() {
  const numbers = [...Array(PLAN.events).keys()];
  return numbers.reduce((sum, number) => sum + eventText(number).length, 0) / PLAN.events;
}
