import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The reference server as a process that can be ended and come back on the same port. */
export class Server {
  #www;
  #process;

  constructor(www) {
    this.#www = www;
  }

  /** Starts it on the port that it had before, if it had one. */
  async start() {
    this.program ??= program();
    const port = this.origin ? new URL(this.origin).port : "0";
    // The limits are not what is measured, and tokens have to outlive a restart.
    const limits = ["--rate-limit-per-minute", "0", "--max-connections-per-user", "1000"];
    const secret = ["--secret", "a secret for benches, known to everyone"];
    const flags = ["--dev", "--port", port, "--www", this.#www, ...limits, ...secret];
    const child = spawn(this.program, flags, { stdio: ["ignore", "pipe", "ignore"] });
    process.once("exit", () => child.kill("SIGKILL"));
    this.#process = child;
    this.origin = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with code ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const ready = /^ready (http:\/\/\S+)$/.exec(line)?.[1];
        if (ready) resolve(ready);
      });
    });
  }

  /** Sends the signal and waits until the process is gone. */
  async end(signal) {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill(signal);
    await gone;
  }
}

function program() {
  const built = (profile) => fileURLToPath(new URL(`../../target/${profile}/everwire-server`, import.meta.url));
  const candidates = env.EVERWIRE_SERVER_BIN ? [env.EVERWIRE_SERVER_BIN] : [built("release"), built("debug")];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found) return found;
  throw new Error(
    `the reference server is not built: there is no ${candidates.join(" and no ")}.
Run \`cargo build --release -p everwire-server\`, or name its program in EVERWIRE_SERVER_BIN.`,
  );
}
