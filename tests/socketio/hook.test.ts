// @vitest-environment happy-dom

import { readFileSync, writeFileSync } from "node:fs";
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { pythonProgram, rootPath, workPath } from "./harness/paths";
import { startServer } from "./harness/process";

/** What the page's hook gives. */
interface UseSocket {
  readonly connected: boolean;
  readonly online: boolean;
  readonly typing: boolean;
  readonly messages: readonly { readonly content: string; readonly senderId: string }[];
  readonly error: string | null;
  readonly sendMessage: (content: string) => void;
  readonly sendTyping: (isTyping: boolean) => void;
}

const PACKAGES = ["socket.io-client", "everwire/socket.io"];

/** The hook of docs/migrate.md with one of the packages, which is all that is different. */
async function hookWith(name: string): Promise<(matchId: string) => UseSocket> {
  const page = readFileSync(rootPath("docs/migrate.md"), "utf8");
  const blocks = [...page.matchAll(/```tsx\n(.*?)```/gs)].map(([, code = ""]) => code);
  const code = blocks.find((block) => block.includes("export function useSocket"));
  if (code === undefined) throw new Error("docs/migrate.md has no hook useSocket");
  const file = workPath(`useSocket-${name.replace("/", "-")}.tsx`);
  writeFileSync(file, code.replace("everwire/socket.io", name));
  return ((await import(file)) as { useSocket: (matchId: string) => UseSocket }).useSocket;
}

describe.each(PACKAGES)("the hook of docs/migrate.md with %s", (name) => {
  let origin = "";
  let stop = () => {};

  beforeAll(async () => {
    const command = [pythonProgram(), "-m", "colabmatch", "--dev", "--port", "0"];
    // python-socketio says goodbye to a client that it drops and keeps the connection; socket.io-client notices by the pings that stay away.
    const pings = ["--ping-interval-ms", "1000", "--ping-timeout-ms", "1000"];
    const server = await startServer([...command, ...pings], rootPath("examples/colabmatch-socketio/src"));
    origin = server.origin;
    stop = () => server.process.kill();
    await post("match", { match_id: "m1", users: ["ada", "ben"] });
  });

  afterEach(cleanup);
  afterAll(() => stop());

  async function post(endpoint: string, body: object): Promise<Record<string, string>> {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${origin}/dev/${endpoint}`, { method: "POST", body: JSON.stringify(body), headers });
    return (await response.json()) as Record<string, string>;
  }

  async function open(user: string) {
    const useSocket = await hookWith(name);
    // What the page's snippets use of the application.
    Object.assign(globalThis, {
      url: origin,
      fetchToken: async () => (await post("token", { user_id: user }))["token"],
    });
    const { result } = renderHook(() => useSocket("m1"));
    await until(() => result.current.connected);
    return result;
  }

  async function until(isSo: () => boolean): Promise<void> {
    await expect.poll(() => act(async () => isSo())).toBe(true);
  }

  it("chats, types and shows who is there, and comes back", async () => {
    const ada = await open("ada");
    const ben = await open("ben");
    await until(() => ada.current.online && ben.current.online);
    act(() => ben.current.sendTyping(true));
    await until(() => ada.current.typing);
    act(() => ben.current.sendMessage("hello"));
    await until(() => ada.current.messages.length === 1 && ben.current.messages.length === 1);
    expect(ada.current.messages[0]).toMatchObject({ content: "hello", senderId: "ben" });
    await until(() => !ada.current.typing);

    await post("drop", { user_id: "ada" });
    await until(() => !ada.current.connected);
    await until(() => ada.current.connected);
    act(() => ada.current.sendMessage("again"));
    await until(() => ben.current.messages.at(-1)?.content === "again");
  });
});
