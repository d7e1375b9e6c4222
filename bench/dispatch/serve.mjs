import { createReadStream } from "node:fs";
import { createServer } from "node:http";

/** Serves the page and the built package to one browser. */
export async function serve() {
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/dispatch/page.html" : request.url;
    const file = FILES[path];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const type = path.endsWith(".html") ? "text/html" : "text/javascript";
    // Cross-origin isolation gives the page's clock a resolution of microseconds.
    response.writeHead(200, {
      "content-type": type,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { origin: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

const FILES = {
  "/dispatch/page.html": new URL("page.html", import.meta.url),
  "/dispatch/page.mjs": new URL("page.mjs", import.meta.url),
  "/dispatch/router.mjs": new URL("router.mjs", import.meta.url),
  "/everwire.js": new URL(import.meta.resolve("everwire")),
};
