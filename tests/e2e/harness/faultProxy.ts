import { type ChildProcess, spawn } from "node:child_process";
import { dirname, extname, join } from "node:path";
import { createInterface } from "node:readline";
import { serverProgram } from "./environment";

/** What the proxy does to the bytes that pass; see the table in `tests/faults/README.md`. */
export interface Rule {
  readonly fault: "latency" | "bandwidth" | "swallow" | "half_open" | "stall" | "refuse" | "reset" | "close";
  readonly direction?: "up" | "down" | "both";
  readonly after_ms?: number;
  readonly for_ms?: number;
  readonly after_bytes?: number;
  readonly ms?: number;
  readonly jitter_ms?: number;
  readonly bytes_per_s?: number;
}

/** The fault proxy as a process, in front of a server. */
export class FaultProxy {
  readonly origin: string;
  readonly #control: string;
  readonly #process: ChildProcess;
  readonly #kill = () => this.#process.kill("SIGKILL");

  private constructor(origin: string, control: string, child: ChildProcess) {
    this.origin = origin;
    this.#control = control;
    this.#process = child;
    process.once("exit", this.#kill);
  }

  static async start(target: string, more: readonly string[] = []): Promise<FaultProxy> {
    const server = serverProgram();
    const program = join(dirname(server), `everwire-faults${extname(server)}`);
    const any = "127.0.0.1:0";
    const flags = ["--listen", any, "--target", new URL(target).host, "--control", any, ...more];
    const child = spawn(program, flags, { stdio: ["ignore", "pipe", "ignore"] });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the fault proxy ended with code ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const [, origin, control] = /^ready (\S+?)\/? control (\S+?)\/?$/.exec(line) ?? [];
        if (origin !== undefined && control !== undefined) resolve(new FaultProxy(origin, control, child));
      });
    });
  }

  async rule(rule: Rule): Promise<void> {
    await this.#ask("POST", "rules", rule);
  }

  async heal(): Promise<void> {
    await this.#ask("DELETE", "rules");
  }

  /** How many bytes the rules of one fault have concerned. */
  async bytes(fault: Rule["fault"]): Promise<number> {
    return (await this.#rules(fault)).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether the time of a fault's rules is now. */
  async isActive(fault: Rule["fault"]): Promise<boolean> {
    return (await this.#rules(fault)).some(({ active }) => active);
  }

  /** How many connections the proxy has taken. */
  async accepted(): Promise<number> {
    return ((await this.#ask("GET", "traffic")) as { accepted: number }).accepted;
  }

  /** Sends later connections to another server. */
  async aim(origin: string): Promise<void> {
    await this.#ask("PUT", "target", { addr: new URL(origin).host });
  }

  stop(): void {
    process.off("exit", this.#kill);
    this.#kill();
  }

  async #rules(fault: Rule["fault"]): Promise<(Rule & { active: boolean; bytes: number })[]> {
    const rules = (await this.#ask("GET", "rules")) as (Rule & { active: boolean; bytes: number })[];
    return rules.filter((rule) => rule.fault === fault);
  }

  async #ask(method: string, what: string, question?: object): Promise<unknown> {
    const body = question && { body: JSON.stringify(question), headers: { "content-type": "application/json" } };
    const response = await fetch(`${this.#control}/${what}`, { method, ...body });
    if (!response.ok) throw new Error(`the fault proxy answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
