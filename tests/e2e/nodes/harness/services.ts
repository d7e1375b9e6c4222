import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

/** PostgreSQL and Redis, which can be killed and started again; see `tests/services`. */
export class Services {
  readonly postgres: string;
  readonly redis: string;
  readonly #process: ChildProcess;
  readonly #answers: Interface;

  private constructor(postgres: string, redis: string, process: ChildProcess, answers: Interface) {
    this.postgres = postgres;
    this.redis = redis;
    this.#process = process;
    this.#answers = answers;
  }

  static async start(): Promise<Services> {
    const program = process.env["EVERWIRE_SERVICES_BIN"];
    if (program === undefined) {
      throw new Error("EVERWIRE_SERVICES_BIN is not set. `cargo xtask test nodes` builds everything and sets it.");
    }
    const data = fileURLToPath(new URL("../../../../target/xtask/nodes-services", import.meta.url));
    const flags = ["--data", data, "--redis", process.env["REDIS_SERVER"] ?? "redis-server"];
    // It stops both when its standard input ends, which it does with this process.
    const child = spawn(program, flags, { stdio: ["pipe", "pipe", "inherit"] });
    const answers = createInterface({ input: child.stdout });
    const [ready] = await Promise.race([once(answers, "line"), once(child, "exit")]);
    const [, postgres, redis] = /^ready (\S+) (\S+)$/.exec(String(ready)) ?? [];
    if (postgres === undefined || redis === undefined) throw new Error(`the services did not start: ${ready}`);
    return new Services(postgres, redis, child, answers);
  }

  async kill(service: Service): Promise<void> {
    await this.#ask(`kill ${service}`, `killed ${service}`);
  }

  async restart(service: Service): Promise<void> {
    await this.#ask(`start ${service}`, `started ${service}`);
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.stdin?.end();
    await exited;
  }

  async #ask(command: string, expected: string): Promise<void> {
    const answer = once(this.#answers, "line");
    this.#process.stdin?.write(`${command}\n`);
    const [line] = await answer;
    if (line !== expected) throw new Error(`\`${command}\` was answered with \`${line}\``);
  }
}

export type Service = "postgres" | "redis";
