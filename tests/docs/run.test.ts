import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { NativeSocketClient } from "everwire";
import { TestServer } from "everwire/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, type WebSocketServer } from "ws";
import { freePort } from "./harness/freePort";
import { generatedPath, program } from "./harness/paths";
import { run } from "./harness/run";
import { allSnippets, isTypeScript, pageName, type Snippet, snippetsOf, withSetup } from "./harness/snippets";

/** Runs a snippet, and gives its constants. */
type Run = () => Promise<Readonly<Record<string, unknown>>>;

/** What is expected of each snippet that is run, by its name. */
const RUNS: { readonly [name: string]: (run: Run, port: number) => Promise<void> } = {
  "quick start": async (run) => {
    const server = new TestServer().install();
    vi.stubGlobal("fetchToken", async () => "ada");
    const { client, result } = await run();
    const { data, user } = await server.nextMessage("message_sent");
    expect({ data, user }).toEqual({ data: { session_id: "s", message: { id: "1", content: "Hello" } }, user: "ada" });
    expect(result).toMatchObject({ status: "sent" });
    (client as Disposable)[Symbol.dispose]();
    server.close();
  },
  "plain server": async (run, port) => {
    const { server } = await run();
    const [ada, ben] = [open(port), open(port)];
    const said = new Promise((resolve) => ben.on("said", resolve));
    await vi.waitFor(() => expect([ada.getState(), ben.getState()]).toEqual(["open", "open"]));
    ada.send("say", { text: "hello" });
    expect(await said).toEqual({ text: "hello" });
    await vi.waitFor(() => expect(ada.getSnapshot().lastRttMs).not.toBeNull());
    for (const client of [ada, ben]) client.dispose();
    (server as WebSocketServer).close();
  },
  "conversation as a store": async (run) => {
    const server = new TestServer({ dialect: "masterx" }).install();
    const show = vi.fn();
    vi.stubGlobal("url", "ws://test");
    vi.stubGlobal("token", "ada");
    vi.stubGlobal("userId", "ada");
    vi.stubGlobal("show", show);
    const { client, leave, id } = await run();
    await server.nextMessage("message_sent");
    await server.settled();
    expect(show.mock.lastCall?.[0]).toMatchObject([{ id, content: "Hello", isOwn: true, status: "sent" }]);
    (leave as () => void)();
    await server.nextMessage("leave_session");
    (client as NativeSocketClient).dispose();
    server.close();
  },
  "client against the test server": async (run) => expect(await run()).toMatchObject({ sum: 3 }),
  "virtual clock": async (run) => expect(await run()).toMatchObject({ phase: "open" }),
};

const isRun = (snippet: Snippet) => snippet.remarks.run !== undefined;

describe("what the pages run, does what it says", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("every snippet that is to be run has its expectation here, and the other way round", () => {
    const names = allSnippets().flatMap(({ remarks }) => remarks.run ?? []);
    expect(names.sort()).toEqual(Object.keys(RUNS).sort());
  });

  it.each(
    allSnippets()
      .filter(isRun)
      .map((snippet) => [snippet.remarks.run ?? "", snippet] as const),
  )("%s", async (name, snippet) => {
    const file = generatedPath(`run/${pageName(snippet.page)}/${name.replaceAll(" ", "_")}.${snippet.language}`);
    const port = await freePort();
    write(file, withExports(withSetup(snippet).text.replaceAll("8080", String(port))));
    await RUNS[name]?.(() => import(/* @vite-ignore */ file), port);
  });
});

describe("docs/testing.md", () => {
  it("its tests pass", async () => {
    const directory = generatedPath("run/testing_page");
    rmSync(directory, { recursive: true, force: true });
    // Without one of its own, it would take that of this suite.
    write(`${directory}/vitest.config.ts`, "export default {};");
    for (const snippet of snippetsOf("docs/testing.md").filter(isTypeScript)) {
      if (snippet.remarks.file !== undefined) write(`${directory}/${snippet.remarks.file}`, snippet.code);
    }
    const { status, output } = await run(program("vitest"), ["run", "--root", directory, "--reporter", "verbose"], {
      env: { NO_COLOR: "1" },
    });
    expect(status, output).toBe(0);
    expect(output).toContain("Tests  4 passed (4)");
  });
});

function open(port: number): NativeSocketClient {
  const url = `http://127.0.0.1:${port}`;
  const client = new NativeSocketClient({ url, WebSocket, heartbeat: { intervalMs: 20 } });
  client.connect();
  return client;
}

/** Snippets export nothing, so what they have named is exported here. */
function withExports(code: string): string {
  const names = [...code.matchAll(/^const (?:\{ )?(\w+)/gm)].map(([, name]) => name);
  return `${code}\nexport { ${names.join(", ")} };\n`;
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
