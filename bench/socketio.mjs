// How many events a page takes in and sends in a second with everwire/socket.io, compared with socket.io-client in the same page.

import { inFreshPage, launch } from "./common/chromium.mjs";
import { cells, quantile } from "./common/figures.mjs";
import { serve } from "./common/serve.mjs";
import { answerUpgrades } from "./socketio/server.mjs";

/** At least as many as socket.io-client. */
const TARGET = 1;

/** Rounds are short and many, because what else the machine does disturbs a few of them and not the median. */
const PLAN = { rounds: 300, warmUpRounds: 10, longestMs: 60_000, events: 1_000, messages: 1_000 };

const require = (name) => new URL(import.meta.resolve(name));
const site = await serve("socketio", ["page.mjs"], {
  "/events.mjs": new URL("flood/events.mjs", import.meta.url),
  "/everwire-socketio.js": require("everwire/socket.io"),
  "/socket.io-client.js": new URL("socket.io.esm.min.js", require("socket.io-client/dist/socket.io.js")),
});
answerUpgrades(site.server);
const browser = await launch();
try {
  report(await inFreshPage(browser, site.origin, "measureSocketIo", PLAN));
} finally {
  await browser.close();
  site.close();
}

function report(results) {
  const rounds = results.in.everwire.length;
  console.log(`
${PLAN.events} events in, ${PLAN.messages} out, over loopback from and to a server that does nothing else;
Chromium ${browser.version()}, ${rounds} rounds in random order in one page, in thousands a second
`);
  for (const direction of ["in", "out"]) {
    const { everwire, "socket.io-client": other } = results[direction];
    const ratios = everwire.map((perSecond, round) => perSecond / other[round]);
    const median = quantile(ratios, 0.5);
    console.log(`events ${direction}${direction === "in" ? " " : ""}             median       p10       p90
  socket.io-client   ${cells(other.map(thousands), 1)}
  everwire/socket.io ${cells(everwire.map(thousands), 1)}
  ratio              ${cells(ratios, 2)}   ${median >= TARGET ? "within" : "UNDER"} target (${TARGET})
`);
  }
}

function thousands(perSecond) {
  return perSecond / 1_000;
}
