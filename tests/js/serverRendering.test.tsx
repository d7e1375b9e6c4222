import { NativeSocketClient } from "everwire";
import * as react from "everwire/react";
import * as slim from "everwire/react/slim";
import { chat } from "everwire/session";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** Everything that a server has not got, or must not use for every request. */
const FORBIDDEN = [
  "window",
  "document",
  "location",
  "WebSocket",
  "WebAssembly",
  "setInterval",
  "requestAnimationFrame",
];

const complaints: unknown[] = [];

beforeEach(() => {
  for (const name of FORBIDDEN) {
    vi.stubGlobal(name, undefined);
  }
  vi.spyOn(console, "error").mockImplementation((...all) => void complaints.push(all));
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  expect(complaints.splice(0)).toEqual([]);
});

function Status() {
  const { phase, isConnected, queued, emit, subscribe, reconnect, disconnect } = react.useWebSocket();
  const functions = [emit, subscribe, reconnect, disconnect].every((value) => typeof value === "function");
  return `${phase} ${isConnected} ${queued} ${functions}`;
}

it("shows an idle connection, asks for no token and starts nothing", () => {
  const token = vi.fn();
  const html = renderToString(
    <react.WebSocketProvider options={{ token }}>
      <Status />
    </react.WebSocketProvider>,
  );
  expect(html).toBe("idle false 0 true");
  expect(token).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

it("needs no provider either", () => {
  expect(renderToString(<Status />)).toBe("idle false 0 true");
});

describe.each([
  ["everwire/react", react],
  ["everwire/react/slim", slim],
])("every hook of %s", (_, hooks) => {
  function All() {
    const { phase } = hooks.useWebSocket();
    hooks.useEvent("score", () => {
      throw new Error("there is nothing to hear");
    });
    const total = hooks.useEventState("score", (sum: number) => sum + 1, 0);
    const state = hooks.useConnection((snapshot) => snapshot.state);
    const send = hooks.useSend();
    const session = hooks.useSession("s1");
    const match = hooks.useMatch("m1");
    const { socket, connected, online, messages, typing, error } = hooks.useSocket("m1");
    return JSON.stringify([
      [phase, total, state, typeof send],
      [session.messages, session.isLoading, typeof session.send, match.members],
      [socket, connected, online, messages, typing, error],
    ]).replaceAll('"', "'");
  }

  const nothing = [
    ["idle", 0, "closed", "function"],
    [[], false, "function", []],
    [null, false, false, [], false, null],
  ];
  const shown = (page: ReactNode): unknown => JSON.parse(renderToString(page).replaceAll("&#x27;", '"'));

  it("shows what there is to see before anything was asked for", () => {
    const { WebSocketProvider, createWebSocketHooks } = react;
    expect(
      shown(
        <WebSocketProvider options={{ chat: chat() }}>
          <All />
        </WebSocketProvider>,
      ),
    ).toEqual(nothing);
    expect(createWebSocketHooks).toBeTypeOf("function");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("subscribes to nothing and joins nothing of a client that it is given", () => {
    vi.unstubAllGlobals();
    const client = new NativeSocketClient({ url: "http://server.test", chat: chat() });
    vi.stubGlobal("window", undefined);
    const used = (["on", "send", "connect", "session", "match", "subscribe"] as const).map((name) =>
      vi.spyOn(client, name),
    );
    const page = (
      <hooks.WebSocketProvider client={client}>
        <All />
      </hooks.WebSocketProvider>
    );
    expect(shown(page)).toEqual(nothing);
    for (const method of used) expect(method).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
