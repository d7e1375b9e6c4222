import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { expect, it } from "vitest";
import { packagePath, program, rootPath } from "./harness/paths";
import { run, runModule } from "./harness/run";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

const MODULES = [
  "api",
  "client",
  "codes",
  "connection",
  "durable",
  "durable/database",
  "durable/errors",
  "durable/lock",
  "durable/records",
  "env",
  "errors",
  "events",
  "index",
  "load",
  "log",
  "message",
  "outbox",
  "page",
  "react",
  "session",
  "session/eventClient",
  "session/toasts",
  "session/typing",
  "session/typingIn",
  "session/typingText",
  "session/typingUsers",
  "slim",
  "types",
];

const SHIPPED = [
  "LICENSE-APACHE",
  "LICENSE-MIT",
  "README.md",
  "dist/durable.js",
  "dist/everwire_bg.wasm",
  "dist/index.js",
  "dist/react.js",
  "dist/session.js",
  "dist/slim.js",
  "package.json",
  ...MODULES.map((module) => `dist/${module}.d.ts`),
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
  for (const file of SHIPPED.filter((path) => /\.(js|d\.ts)$/.test(path))) {
    const text = await readFile(packagePath(file), "utf8");
    for (const [, target = ""] of text.matchAll(/(?:from\s*|import\(?\s*|new URL\()"(\.[^"]+)"/g)) {
      const path = join(dirname(file), target);
      if (!SHIPPED.includes(path.replace(/\.js$/, ".d.ts")) && !SHIPPED.includes(path))
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

it("the licences are the project's", async () => {
  for (const file of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    expect(await readFile(packagePath(file), "utf8")).toBe(await readFile(rootPath(file), "utf8"));
  }
});

it("the module in the file and the one inside the default entry are the same", async () => {
  const module = await readFile(packagePath("dist/everwire_bg.wasm"), "hex");
  const script = await readFile(packagePath("dist/index.js"), "utf8");
  expect(script.includes(module)).toBe(true);
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

it("the types are right for every way of resolving ES modules", async () => {
  const directory = await mkdtemp(join(tmpdir(), "everwire-"));
  try {
    const { filename } = await pack("--pack-destination", directory);
    const arguments_ = ["--profile", "esm-only", "--exclude-entrypoints", "wasm", "--no-color", "--no-emoji"];
    const { status, output } = await run(program("attw"), [join(directory, filename), ...arguments_]);
    expect(status, output).toBe(0);
  } finally {
    await rm(directory, { recursive: true });
  }
});
