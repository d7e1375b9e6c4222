import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect } from "vitest";
import { TOOLCHAINS, type Toolchain } from "../toolchains";
import { rootPath, tarballPath, workPath } from "./environment";
import { npm, Program, run, type Variables } from "./processes";
import { closeLater } from "./resources";

/** A small application outside the workspace, with the packed package in its `node_modules`. */
export class App {
  readonly directory: string;

  constructor(readonly name: string) {
    this.directory = workPath(name);
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** Runs a script of an installed package, such as `vite/bin/vite.js`, or of the application. */
  run(script: string, args: readonly string[] = [], variables: Variables = {}): Promise<string> {
    return run(["node", this.#script(script), ...args], this.directory, variables);
  }

  /** Starts a server and returns the address that it prints. */
  async serve(script: string, args: readonly string[], variables: Variables = {}): Promise<string> {
    const program = new Program(["node", this.#script(script), ...args], this.directory, variables);
    closeLater(() => program.stop());
    const [address] = await program.prints(/https?:\/\/(localhost|127\.0\.0\.1):\d+(?=[/\s])/);
    // Some print it before they listen.
    const answers = () =>
      fetch(address).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers).toBe(true);
    return address;
  }

  copy(from: string, to: string): Promise<void> {
    return cp(this.path(from), this.path(to));
  }

  #script(script: string): string {
    return script.startsWith("./") ? this.path(script) : this.path(`node_modules/${script}`);
  }
}

/** Prepares the application before the tests of a file or a group. */
export function useApp(name: keyof typeof TOOLCHAINS): App {
  const app = new App(name);
  beforeAll(() => prepare(app, TOOLCHAINS[name]));
  return app;
}

async function prepare(app: App, { template, dependencies, manifest: further }: Toolchain): Promise<void> {
  await mkdir(app.path("node_modules"), { recursive: true });
  for (const file of await readdir(app.directory)) {
    if (!KEPT.includes(file)) await rm(app.path(file), { recursive: true });
  }
  await cp(rootPath("tests/packaging/apps/common"), app.path("common"), { recursive: true });
  if (template !== undefined)
    await cp(rootPath(`tests/packaging/apps/${template}`), app.directory, { recursive: true });
  const manifest = JSON.stringify({ name: app.name, private: true, type: "module", dependencies, ...further }, null, 2);
  await writeFile(app.path("package.json"), manifest);
  await install(app, manifest);
  for (const cache of CACHES) await rm(app.path(cache), { recursive: true, force: true });
  await rm(app.path("node_modules/everwire"), { recursive: true, force: true });
  await mkdir(app.path("node_modules/everwire"));
  await run(
    ["tar", "-xzf", tarballPath(), "-C", app.path("node_modules/everwire"), "--strip-components=1"],
    app.directory,
  );
}

/** Installs what the manifest names, if that is not what was installed. */
async function install(app: App, manifest: string): Promise<void> {
  const stamp = app.path("node_modules/.everwire-manifest.json");
  const installed = await readFile(stamp, "utf8").catch(() => "");
  if (installed === manifest) return;
  console.log(`installing ${app.name} …`);
  const started = Date.now();
  const command = [...npm, "install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await run(command, app.directory, {}, LIMIT_MS);
  await writeFile(stamp, manifest);
  console.log(`installed ${app.name} in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Of an installation that downloads a whole toolchain. */
const LIMIT_MS = 580_000;
const KEPT = ["node_modules", "package-lock.json"];
/** Packages that changed without a new version are not looked at again while these are there. */
const CACHES = ["node_modules/.vite", "node_modules/.cache", "node_modules/.vite-temp"];
