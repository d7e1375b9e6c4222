// Serves the page, and says as many events a second as it is asked for.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WebSocketServer } from "ws";

export async function startServer() {
  const files = await bundle();
  const server = createServer(({ url }, response) => {
    const file = files[url === "/" ? "/page.html" : url];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": url === "/" ? "text/html" : "text/javascript" }).end(file);
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    socket.on("message", (text) => {
      const { type, data } = JSON.parse(text);
      if (type === "ping") say(socket, "pong", { timestamp: new Date().toISOString() });
      if (type === "talk") talk(socket, data);
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}/`, close };
}

async function bundle() {
  const source = (name) => fileURLToPath(new URL(name, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [source("page.mjs"), source("page.html")],
    loader: { ".html": "copy" },
    outdir: "/",
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    // The one of the package leads from what is built to its sources.
    tsconfigRaw: {},
    logLevel: "warning",
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [path, contents]));
}

/** Evenly, each event in a frame of its own, as far as timers allow. */
function talk(socket, { events, perSecond }) {
  const startedAt = performance.now();
  let said = 0;
  const timer = setInterval(() => {
    const due = Math.min(events, ((performance.now() - startedAt) * perSecond) / 1_000);
    while (said < due) {
      const message = {
        id: `message-${said}`,
        n: said,
        content: `what is said as number ${said}`,
        role: "user",
        user_id: "ben",
        timestamp: new Date().toISOString(),
      };
      say(socket, "message_received", { message });
      said++;
    }
    if (said < events) return;
    clearInterval(timer);
    say(socket, "talked", {});
  }, 1);
}

function say(socket, type, data) {
  socket.send(JSON.stringify({ type, data, timestamp: Date.now() }));
}
