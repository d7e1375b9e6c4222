import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { workPath } from "./paths";

/** Starts a server that says `ready URL` once it listens; it does not outlive the tests. */
export async function startServer(
  [program = "", ...args]: readonly string[],
  directory?: string,
): Promise<{ origin: string; process: ChildProcess }> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, PYTHONUNBUFFERED: "1" },
    ...(directory !== undefined && { cwd: directory }),
  });
  child.stderr.pipe(createWriteStream(workPath("servers.log"), { flags: "a" }));
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const origin = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`a server ended with code ${code}; see target/socketio/servers.log`)),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = /^ready (http:\/\/[^/\s]+)/.exec(line)?.[1];
      if (ready !== undefined) resolve(ready);
    });
  });
  return { origin, process: child };
}
