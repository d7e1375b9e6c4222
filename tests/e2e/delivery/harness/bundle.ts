import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const page = (file: string): string => fileURLToPath(new URL(`../page/${file}`, import.meta.url));

/** What the application knows of the events of a gap by other means: their numbers are their offsets, counted from where the stream began. */
function history(query: URLSearchParams): object[] {
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  return Array.from({ length: to - from + 1 }, (_, index) => ({ n: `n${from + index}` }));
}

/** Serves the test page with the built package from a server of its own, which is there also when the one under test is not. */
export async function servePage(): Promise<{ origin: string; close: () => void }> {
  const { outputFiles } = await build({
    entryPoints: [page("lab.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "warning",
  });
  const script = outputFiles[0]?.text;
  const html = await readFile(page("index.html"), "utf8");
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://page.test");
    const [type, content] =
      pathname === "/lab.js"
        ? ["text/javascript", script]
        : pathname === "/history"
          ? ["application/json", JSON.stringify(history(searchParams))]
          : ["text/html", html];
    response.setHeader("content-type", type);
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
