import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Server } from "../../harness/server";
import { type Certificate, makeCertificate } from "./certificate";
import { configuration } from "./configuration";
import { freePort } from "./freePort";

/** A reverse proxy with a configuration of `docs/deploy`, in front of two servers. */
export class ReverseProxy {
  /** What clients connect to. */
  readonly origin: string;
  /** Where it answers without TLS. */
  readonly plainOrigin: string;
  readonly certificate: Certificate;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(ports: Ports, certificate: Certificate, directory: string, process: ChildProcess) {
    this.origin = `https://localhost:${ports.port}`;
    this.plainOrigin = `http://localhost:${ports.otherPort}`;
    this.certificate = certificate;
    this.#directory = directory;
    this.#process = process;
  }

  /** `directory` is empty and ends with the test. */
  static async start(
    kind: Kind,
    directory: string,
    servers: readonly [Server, Server] | readonly [],
    { changes = {}, connections = 1024 }: Variation = {},
  ): Promise<ReverseProxy> {
    const certificate = makeCertificate(directory);
    const logs = join(directory, "logs");
    mkdirSync(logs);
    const ports = { port: await freePort(), otherPort: await freePort() };
    const addresses = servers.map(({ origin }, index) => [`127.0.0.1:${8787 + index}`, new URL(origin).host]);
    const replacements = { ...Object.fromEntries(addresses), ...changes };
    const [program, ...flags] = KINDS[kind]({ directory, logs, certificate, replacements, connections, ...ports });
    const home = { ...process.env, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
    const child = spawn(String(program), flags, { stdio: ["ignore", "pipe", "pipe"], env: home });
    process.once("exit", () => child.kill("SIGKILL"));
    const terminal = createWriteStream(join(logs, "terminal.log"));
    child.stdout.pipe(terminal, { end: false });
    child.stderr.pipe(terminal, { end: false });
    const proxy = new ReverseProxy(ports, certificate, directory, child);
    await proxy.#untilItListens(ports.port);
    return proxy;
  }

  /** Everything that it has written down or said. */
  logs(): string {
    const logs = join(this.#directory, "logs");
    return readdirSync(logs)
      .map((file) => readFileSync(join(logs, file), "utf8"))
      .join("\n");
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }

  async #untilItListens(port: number): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await answers(port))) {
      const ended = this.#process.exitCode !== null;
      if (ended || Date.now() > deadline) throw new Error(`the proxy does not listen; it says:\n${this.logs()}`);
    }
  }
}

export type Kind = keyof typeof KINDS;

/** What is otherwise than in `docs/deploy`. */
interface Variation {
  /** Parts of the configuration, and what is there instead. */
  readonly changes?: Readonly<Record<string, string>>;
  /** nginx's `worker_connections`. */
  readonly connections?: number;
}

interface Ports {
  readonly port: number;
  readonly otherPort: number;
}

interface Circumstances extends Ports {
  readonly directory: string;
  readonly logs: string;
  readonly certificate: Certificate;
  readonly replacements: Readonly<Record<string, string>>;
  readonly connections: number;
}

const KINDS = {
  nginx: (circumstances: Circumstances) => nginx("nginx.conf", circumstances, { "/var/log/nginx": circumstances.logs }),

  "nginx of compose.yaml": (circumstances: Circumstances) =>
    nginx("nginx.compose.conf", circumstances, {
      "/dev/stdout": join(circumstances.logs, "everwire.log"),
      "/dev/stderr": join(circumstances.logs, "everwire.error.log"),
    }),

  caddy({ directory, logs, certificate, replacements, port, otherPort }: Circumstances): readonly string[] {
    const file = join(directory, "Caddyfile");
    writeFileSync(
      file,
      configuration("Caddyfile", {
        ...replacements,
        // A test has a certificate of its own, and leaves the machine's ports and certificates alone.
        "{\n\t# What Caddy says": `{\n\tadmin off\n\tauto_https disable_certs\n\thttp_port ${otherPort}\n\thttps_port ${port}\n\t# What Caddy says`,
        "example.com {": `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate.file} ${certificate.keyFile}`,
        "/var/log/caddy": logs,
      }),
    );
    return [process.env["CADDY"] ?? "caddy", "run", "--config", file, "--adapter", "caddyfile"];
  },
};

function nginx(
  file: string,
  { directory, logs, certificate, replacements, connections, port, otherPort }: Circumstances,
  more: Readonly<Record<string, string>>,
): readonly string[] {
  writeFileSync(
    join(directory, "everwire.conf"),
    configuration(file, {
      ...replacements,
      ...more,
      "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
      "listen 80": `listen 127.0.0.1:${otherPort}`,
      "server_name example.com": "server_name localhost",
      "/etc/ssl/everwire/example.com.pem": certificate.file,
      "/etc/ssl/everwire/example.com.key": certificate.keyFile,
      "75s": `${IDLE_S}s`,
    }),
  );
  // What Debian's own nginx.conf has around it.
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  const http = [`access_log ${join(logs, "access.log")};`, ...bodies, `include ${join(directory, "everwire.conf")};`];
  const events = `events { worker_connections ${connections}; }`;
  const main = ["daemon off;", `pid ${join(directory, "nginx.pid")};`, events];
  const wholeFile = join(directory, "main.conf");
  writeFileSync(wholeFile, [...main, "http {", ...http, "}"].join("\n"));
  return [process.env["NGINX"] ?? "nginx", "-p", directory, "-e", join(logs, "error.log"), "-c", wholeFile];
}

/** How long a silent connection lives in the test, in place of what the configuration says. */
export const IDLE_S = 2;

const START_LIMIT_MS = 20_000;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => setTimeout(resolve, 20, false));
    socket.once("connect", () => socket.destroy());
  });
}
