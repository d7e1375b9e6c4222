import { createReadStream } from "node:fs";
import { createServer } from "node:http";

const BENCHES = new URL("../", import.meta.url);

/**
 * Serves a bench's page, the scripts that it needs and the built package to one browser. `bench` is the name of its directory, `more` are other files, by their
 * paths in the page.
 */
export async function serve(bench, scripts = ["page.mjs"], more = {}) {
  const files = {
    "/": new URL(`${bench}/page.html`, BENCHES),
    ...Object.fromEntries(scripts.map((script) => [`/${script}`, new URL(`${bench}/${script}`, BENCHES)])),
    "/rounds.mjs": new URL("common/rounds.mjs", BENCHES),
    "/router.mjs": new URL("common/router.mjs", BENCHES),
    "/everwire.js": new URL(import.meta.resolve("everwire")),
    ...more,
  };
  const server = createServer((request, response) => {
    const file = files[request.url];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    // Cross-origin isolation gives the page's clock a resolution of microseconds.
    response.writeHead(200, {
      "content-type": request.url === "/" ? "text/html" : "text/javascript",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, origin: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
