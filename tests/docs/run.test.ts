import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { dirname } from "node:path";
import { type Chat, type ChatFactory, NativeSocketClient } from "everwire";
import { colabmatch, TestServer } from "everwire/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, type WebSocketServer } from "ws";
import { freePort } from "./harness/freePort";
import { generatedPath, program } from "./harness/paths";
import { run } from "./harness/run";
import { allSnippets, isTypeScript, pageName, type Snippet, snippetsOf, withSetup } from "./harness/snippets";

/** Runs a snippet, or another one that is named, and gives its constants. */
type Run = (name?: string) => Promise<Readonly<Record<string, unknown>>>;

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
  "history of the reference server": async (run) => {
    const server = new TestServer({ dialect: colabmatch({ matches: { m1: ["ada", "ben"] } }) });
    server.seedHistory(
      "m1",
      Array.from({ length: 120 }, (_, n) => matchMessage(n)),
    );
    const asked: string[] = [];
    /** What docs/PROTOCOL.md says of the history of matches. */
    const answer = async (url: URL, { headers }: { readonly headers: object }) => {
      expect([url.pathname, headers]).toEqual(["/api/matches/m1/messages", { authorization: "Bearer ada" }]);
      asked.push(url.search.slice(1));
      const [before, limit] = [url.searchParams.get("before"), Number(url.searchParams.get("limit"))];
      const { messages, hasMore } = server.history("m1", { before, limit });
      return Response.json({ messages, next_before: hasMore ? messages[0]?.["id"] : null });
    };
    vi.stubGlobal("fetch", answer);
    vi.stubGlobal("location", { origin: "http://api.test" });
    await readsHistory(run, server, (client) => client.match("m1"), asked, "limit=50");
  },
  "history of one's own server": async (run, port) => {
    const endpoint = (await run("history endpoint"))["server"] as Server;
    vi.stubGlobal("location", { origin: `http://127.0.0.1:${port}` });
    const asked: string[] = [];
    endpoint.on("request", ({ url }) => asked.push(String(url).replace(/^.*\?/, "")));
    const server = new TestServer({ dialect: "masterx" });
    await readsHistory(run, server, (client) => client.session("s1"), asked, "limit=50&after=119");
    endpoint.close();
  },
  "history endpoint": async (run, port) => {
    const { server } = await run();
    const ask = async (query: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/sessions/s1/messages?${query}`);
      const { messages, hasMore } = (await answer.json()) as { messages: { id: string }[]; hasMore: boolean };
      return [messages.map(({ id }) => id), hasMore];
    };
    expect(await ask("limit=2")).toEqual([["118", "119"], true]);
    expect(await ask("limit=2&before=2")).toEqual([["0", "1"], false]);
    expect(await ask("limit=2&before=gone")).toEqual([[], false]);
    expect(await ask("limit=2&after=116")).toEqual([["117", "118"], true]);
    expect(await ask("limit=2&after=119")).toEqual([[], false]);
    (server as Server).close();
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
    const port = await freePort();
    const run: Run = (other = name) => {
      const wanted = other === name ? snippet : allSnippets().find(({ remarks }) => remarks.run === other);
      if (!wanted) throw new Error(`no page has a snippet "${other}"`);
      const file = generatedPath(
        `run/${pageName(snippet.page)}/${name}/${other}.${wanted.language}`.replaceAll(" ", "_"),
      );
      write(file, withExports(withSetup(wanted).text.replaceAll("8080", String(port))));
      return import(/* @vite-ignore */ file);
    };
    await RUNS[name]?.(run, port);
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

/** A client whose `chat` is the snippet's shows 120 messages page by page, and asks for what it has missed. */
async function readsHistory(
  run: Run,
  server: TestServer,
  find: (client: NativeSocketClient) => Chat,
  asked: readonly string[],
  missed: string,
): Promise<void> {
  vi.stubGlobal("userId", "ada");
  vi.stubGlobal("fetchToken", async () => "ada");
  const { conversations } = await run();
  const client = new NativeSocketClient({
    url: "ws://test",
    token: "ada",
    WebSocket: server.WebSocket,
    chat: conversations as ChatFactory,
  });
  client.connect();
  const conversation = find(client);
  const release = conversation.join();
  const first = () => conversation.getSnapshot().messages[0]?.content;
  await vi.waitFor(() => expect(first()).toBe("message 70"));
  await conversation.loadEarlier();
  expect(conversation.getSnapshot()).toMatchObject({ hasEarlier: true, error: null });
  await conversation.loadEarlier();
  expect([first(), conversation.getSnapshot().hasEarlier]).toEqual(["message 0", false]);
  server.faults.drop();
  await vi.waitFor(
    () => expect(asked).toEqual(["limit=50", "limit=50&before=70", "limit=50&before=20", missed]),
    5_000,
  );
  await vi.waitFor(() => expect(conversation.getSnapshot()).toMatchObject({ isLoading: false, isComplete: true }));
  release();
  client.dispose();
  server.close();
}

const matchMessage = (n: number) => ({
  id: String(n),
  matchId: "m1",
  senderId: "ben",
  content: `message ${n}`,
  createdAt: new Date(Date.UTC(2026, 0, 1, 12, 0, n)).toISOString(),
  readAt: null,
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
