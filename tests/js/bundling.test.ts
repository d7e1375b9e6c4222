import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { rootPath } from "./harness/paths";
import { wasmText } from "./harness/wasmText";

/** How a WebAssembly module begins: magic number and version. */
const INLINE_MODULE = wasmText(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));

async function bundle(source: string): Promise<{ text: string; files: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: rootPath("tests/js") },
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
    external: ["react"],
    outdir: "out",
    loader: { ".wasm": "file" },
    // An installed package has no such file; here it leads from the package to its sources.
    tsconfigRaw: {},
  });
  const files = Object.keys(metafile.inputs).flatMap((file) => /pkg\/dist\/(.*)/.exec(file)?.slice(1) ?? []);
  return { text: outputFiles.map(({ text }) => text).join(""), files: files.sort() };
}

const USES = `
  import { createElement } from "react";
  const client = new NativeSocketClient();
  export const app = createElement(WebSocketProvider, { client }, createElement(() => useWebSocket().phase));
`;

it("an application on the slim entry has one core with the hooks, and no module in its script", async () => {
  const { text, files } = await bundle(`
    import { init, NativeSocketClient } from "everwire/slim";
    import { useWebSocket, WebSocketProvider } from "everwire/react/slim";
    await init();
    ${USES}`);
  expect(files).toEqual(["react-slim.js", "slim.js"]);
  expect(text).not.toContain(INLINE_MODULE);
  expect(text.match(/everwire_bg\.wasm/g)).toHaveLength(1);
});

it("an application on the default entry has one core with the hooks too, and one module in its script", async () => {
  const { text, files } = await bundle(`
    import { NativeSocketClient } from "everwire";
    import { useWebSocket, WebSocketProvider } from "everwire/react";
    ${USES}`);
  expect(files).toEqual(["index.js", "react-slim.js", "react.js"]);
  expect(text.split(INLINE_MODULE)).toHaveLength(2);
});

it.each([
  ["chat", false],
  ["matchTyping", false],
  ["initializeSocketHandlers", true],
])("who uses %s of everwire/session loads MasterX's handlers: %s", async (name, isExpected) => {
  const { text } = await bundle(`import { ${name} } from "everwire/session"; console.log(${name});`);
  expect(text.includes("cleanups")).toBe(isExpected);
});

it.each(["react", "react-slim"])("every build of %s says that it is for clients", async (entry) => {
  for (const file of [`dist/${entry}.js`, `dist/development/${entry}.js`, `dist/cjs/${entry}.cjs`]) {
    const text = await readFile(rootPath(`pkg/${file}`), "utf8");
    // A directive comes before all statements, and may have other directives before it.
    expect(text, file).toMatch(/^("use strict";\s*)?"use client";/);
  }
});
