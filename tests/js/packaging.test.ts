import { mkdtemp, readFile, rm } from "node:fs/promises";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { publint } from "publint";
import { expect, it } from "vitest";
import { packagePath, program, rootPath } from "./harness/paths";
import { run, runModule } from "./harness/run";
import { wasmText } from "./harness/wasmText";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

const MODULES = [
  "api",
  "chat",
  "client",
  "codes",
  "connection",
  "durable",
  "durable/database",
  "durable/errors",
  "durable/inherited",
  "durable/lock",
  "durable/records",
  "env",
  "envelope",
  "errors",
  "events",
  "index",
  "inline",
  "lifecycle",
  "load",
  "log",
  "message",
  "options",
  "outbox",
  "page",
  "react",
  "react-slim",
  "react/changedOptions",
  "react/conversation",
  "react/hooks",
  "react/keyed",
  "react/listener",
  "react/provider",
  "react/useEventOf",
  "react/useEventStateOf",
  "react/useSelected",
  "sending",
  "session",
  "session/alarm",
  "session/announcer",
  "session/attempt",
  "session/chat",
  "session/chatConfig",
  "session/chatEvents",
  "session/chatMachine",
  "session/chatOutput",
  "session/chatStore",
  "session/eventClient",
  "session/masterx",
  "session/timeline",
  "session/toasts",
  "session/typing",
  "session/typingIn",
  "session/typingText",
  "session/typingUsers",
  "slim",
  "snapshot",
  "socket.io",
  "socketio/emitter",
  "socketio/events",
  "socketio/load",
  "socketio/manager",
  "socketio/options",
  "socketio/overSocketIo",
  "socketio/socket",
  "socketio/types",
  "testing",
  "testing/admission",
  "testing/clock",
  "testing/connection",
  "testing/context",
  "testing/conversations",
  "testing/delivery",
  "testing/dialects",
  "testing/envelope",
  "testing/faults",
  "testing/globalWebSocket",
  "testing/greeting",
  "testing/intake",
  "testing/memory",
  "testing/network",
  "testing/noUtil",
  "testing/pace",
  "testing/pipe",
  "testing/problem",
  "testing/publisher",
  "testing/random",
  "testing/rooms",
  "testing/server",
  "testing/serverOptions",
  "testing/socket",
  "validate",
  "wasmFailure",
  "wasmText",
  "webSocket",
];

const ENTRIES = ["durable", "index", "react", "react-slim", "session", "slim", "socket.io", "testing", "validate"];
const isCommonJs = (name: string): boolean => name !== "slim";

const SHIPPED = [
  "LICENSE-APACHE",
  "LICENSE-MIT",
  "LICENSES-THIRD-PARTY",
  "PROTOCOL.md",
  "README.md",
  "dist/everwire_bg.wasm",
  "dist/wasm.d.ts",
  "package.json",
  ...["dist", "dist/development"].flatMap((directory) =>
    ENTRIES.flatMap((entry) => [`${directory}/${entry}.js`, `${directory}/${entry}.js.map`]),
  ),
  ...ENTRIES.filter(isCommonJs).map((entry) => `dist/cjs/${entry}.cjs`),
  ...MODULES.map((module) => `dist/${module}.d.ts`),
  ...MODULES.filter(isCommonJs).map((module) => `dist/cjs/${module}.d.cts`),
];

async function pack(...args: string[]): Promise<Packed> {
  const { status, output } = await run("npm", ["pack", "--json", "--silent", ...args], packagePath(""));
  expect(status, output).toBe(0);
  const [packed] = JSON.parse(output.slice(output.search(/^\[/m))) as Packed[];
  if (packed === undefined) throw new Error("npm packed nothing");
  return packed;
}

it("ships exactly scripts, types, module, read-me and licences, none of them empty", async () => {
  const { files } = await pack("--dry-run");
  expect(files.map(({ path }) => path).sort()).toEqual(SHIPPED.sort());
  expect(files.filter(({ size }) => size === 0)).toEqual([]);
});

it("every file that a shipped file refers to is shipped too", async () => {
  const missing: string[] = [];
  for (const file of SHIPPED.filter((path) => /\.(c?js|d\.c?ts)$/.test(path))) {
    const text = await readFile(packagePath(file), "utf8");
    for (const [, target = ""] of text.matchAll(REFERENCE)) {
      const path = join(dirname(file), target);
      if (!SHIPPED.includes(path.replace(/\.(c?)js$/, ".d.$1ts")) && !SHIPPED.includes(path))
        missing.push(`${file}: ${target}`);
    }
  }
  expect(missing).toEqual([]);
});

it("nothing that ships names a directory of the machine that built it", async () => {
  const home = rootPath("");
  for (const file of SHIPPED) {
    const bytes = await readFile(packagePath(file), "latin1");
    expect(bytes.includes(home), file).toBe(false);
    expect(bytes.includes("/.cargo/"), file).toBe(false);
  }
});

it("every script of an ES module has a source map with the sources in it, but not the module's bytes", async () => {
  const module = wasmText((await readFile(packagePath("dist/everwire_bg.wasm"))).subarray(0, 50));
  for (const file of SHIPPED.filter((path) => path.endsWith(".js"))) {
    const script = await readFile(packagePath(file), "utf8");
    expect(script.trimEnd().split("\n").pop()).toBe(`//# sourceMappingURL=${basename(file)}.map`);
    const text = await readFile(packagePath(`${file}.map`), "utf8");
    const { sources, sourcesContent } = JSON.parse(text) as { sources: string[]; sourcesContent: string[] };
    expect(sourcesContent.some((content) => content.includes(module))).toBe(false);
    expect(sources.length).toBeGreaterThan(0);
    for (const [i, source] of sources.entries()) {
      const path = join(dirname(file), source);
      if (/^wasm[^/]*\/inline\.js$/.test(path)) continue;
      expect(path).toMatch(/^(src|wasm|wasm-socketio|\.\.\/node_modules\/(@sinonjs|type-detect))\//);
      expect(sourcesContent[i], `${path} in ${file}.map`).toBe(await readFile(packagePath(path), "utf8"));
    }
  }
});

it("a source map leads through both minifiers to the line that was written", async () => {
  const words = "this browser compiles WebAssembly only asynchronously";
  const find = (text: string): [number, number] => {
    const lines = text.split("\n");
    const line = lines.findIndex((line) => line.includes(words));
    return [line, lines[line]?.indexOf(words) ?? -1];
  };
  const map = new SourceMap(JSON.parse(await readFile(packagePath("dist/index.js.map"), "utf8")));
  const found = map.findEntry(...find(await readFile(packagePath("dist/index.js"), "utf8")));
  const [originalLine] = find(await readFile(packagePath("src/index.ts"), "utf8"));
  expect(found).toMatchObject({ originalSource: "../src/index.ts", originalLine });
});

it("the protocol is the project's", async () => {
  expect(await readFile(packagePath("PROTOCOL.md"), "utf8")).toBe(await readFile(rootPath("docs/PROTOCOL.md"), "utf8"));
});

it("the licences are the project's", async () => {
  for (const file of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    expect(await readFile(packagePath(file), "utf8")).toBe(await readFile(rootPath(file), "utf8"));
  }
});

it("the module in the file and the one inside scripts are the same", async () => {
  const module = wasmText(await readFile(packagePath("dist/everwire_bg.wasm")));
  for (const file of ["dist/index.js", "dist/development/index.js", "dist/development/slim.js", "dist/cjs/index.cjs"]) {
    expect((await readFile(packagePath(file), "utf8")).includes(module), file).toBe(true);
  }
});

it("who imports a constant or an option reader from the default entry does not load the client with it", async () => {
  const source = `import { EMOTIONS, optionsFromEnv } from "everwire"; console.log(EMOTIONS, optionsFromEnv);`;
  const script = `
    import { build } from "esbuild";
    const { outputFiles } = await build({
      stdin: { contents: ${JSON.stringify(source)}, resolveDir: process.cwd() },
      bundle: true, format: "esm", minify: true, write: false,
    });
    process.stdout.write(outputFiles[0].text);
  `;
  const { status, output } = await runModule(script, rootPath("tests/js"));
  expect(status, output).toBe(0);
  expect(output).toContain("embarrassment");
  expect(output).toContain("VITE_BACKEND_URL");
  expect(output.length).toBeLessThan(4_000);
});

it("publint has nothing to say", async () => {
  const { messages } = await publint({ pkgDir: packagePath(""), strict: true });
  expect(messages).toEqual([]);
});

it("the types are right for every way of resolving modules; slim and the module's file are for ES modules alone", async () => {
  const directory = await mkdtemp(join(tmpdir(), "everwire-"));
  try {
    const { filename } = await pack("--pack-destination", directory);
    for (const arguments_ of [
      ["--profile", "node16", "--exclude-entrypoints", "slim", "wasm"],
      ["--profile", "esm-only", "--entrypoints", "slim", "wasm"],
    ]) {
      const flags = ["--no-color", "--no-emoji"];
      const { status, output } = await run(program("attw"), [join(directory, filename), ...arguments_, ...flags]);
      expect(status, output).toBe(0);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

const REFERENCE = /(?:from\s*|import\(?\s*|require\(|new URL\()"(\.[^"]+)"/g;
