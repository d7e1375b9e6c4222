// @vitest-environment happy-dom
import { act, render, renderHook } from "@testing-library/react";
import { createWebSocketHooks, useConnection, useSend, useWebSocket, WebSocketProvider } from "everwire/react";
import * as slim from "everwire/react/slim";
import { describe, expect, it, vi } from "vitest";
import { makeClient } from "./harness/clients";
import { below, usePage } from "./harness/page";
import { StandInSocket } from "./harness/standInSocket";

interface FromServer {
  score: { points: number };
  name: { name: string };
}
interface ToServer {
  move: { x: number };
}

usePage();

describe("useConnection", () => {
  it("renders a hundred components on one socket only where what they select has changed", () => {
    const client = makeClient();
    const renders = new Map<string, number>();
    function Selecting({ name, field }: { name: string; field: "phase" | "queued" }) {
      renders.set(name, (renders.get(name) ?? 0) + 1);
      return <i>{useConnection((snapshot) => snapshot[field])}</i>;
    }
    render(
      Array.from({ length: 100 }, (_, index) => (
        <Selecting key={index} name={`${index}`} field={index < 30 ? "queued" : "phase"} />
      )),
      { wrapper: below(client) },
    );
    const counts = () => [...renders.values()];
    const before = counts();
    act(() => void client.send("note", {}));
    const after = counts();
    expect(client.getSnapshot().queued).toBe(1);
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual(
      Array.from({ length: 100 }, (_, index) => (index < 30 ? 1 : 0)),
    );
    expect(StandInSocket.made).toHaveLength(1);
  });

  it("takes an equality for what is made anew", () => {
    const client = makeClient();
    const rendered = vi.fn();
    const { result } = renderHook(
      () => {
        rendered();
        return useConnection(
          ({ phase, attempt }) => ({ phase, attempt }),
          (a, b) => a.phase === b.phase && a.attempt === b.attempt,
        );
      },
      { wrapper: below(client) },
    );
    const [selected, before] = [result.current, rendered.mock.calls.length];
    expect(selected).toEqual({ phase: "connecting", attempt: 0 });
    act(() => void client.send("note", {}));
    expect(rendered).toHaveBeenCalledTimes(before);
    expect(result.current).toBe(selected);
    act(() => StandInSocket.newest.opens());
    expect(result.current.phase).toBe("open");
  });

  it("uses the selector of the latest rendering", () => {
    const client = makeClient();
    const { result, rerender } = renderHook(({ least }) => useConnection(({ queued }) => queued >= least), {
      wrapper: below(client),
      initialProps: { least: 1 },
    });
    act(() => void client.send("note", {}));
    expect(result.current).toBe(true);
    rerender({ least: 2 });
    expect(result.current).toBe(false);
  });
});

describe("useSend", () => {
  it("is one function for good, opens the connection, and never renders", () => {
    const client = makeClient();
    const rendered = vi.fn();
    const { result, rerender } = renderHook(
      () => {
        rendered();
        return useSend();
      },
      { wrapper: below(client) },
    );
    const send = result.current;
    act(() => StandInSocket.newest.opens());
    expect(send("move", { x: 1 })).toMatchObject({ status: "sent" });
    expect(StandInSocket.newest.types).toEqual(["move"]);
    expect(rendered).toHaveBeenCalledTimes(1);
    rerender();
    expect(result.current).toBe(send);
  });
});

describe("hooks of one's own", () => {
  it("share the connection of the nearest provider, whoever it is of", () => {
    const hooks = createWebSocketHooks<FromServer, ToServer>();
    const client = makeClient();
    const { result } = renderHook(
      () => ({
        own: hooks.useWebSocket().client,
        shared: useWebSocket().client,
        slim: slim.useWebSocket().client,
      }),
      { wrapper: below(client) },
    );
    expect(result.current).toEqual({ own: client, shared: client, slim: client });
  });

  it("have a connection of their own when they are isolated", () => {
    const chat = createWebSocketHooks<FromServer, ToServer>({ isolated: true });
    const { result } = renderHook(
      () => ({ own: chat.useConnection(({ phase }) => phase), shared: useConnection(({ phase }) => phase) }),
      {
        wrapper: ({ children }) => (
          <chat.WebSocketProvider options={{ url: "http://chat.test" }}>
            <WebSocketProvider options={{ url: "http://server.test" }}>{children}</WebSocketProvider>
          </chat.WebSocketProvider>
        ),
      },
    );
    expect(StandInSocket.made.map(({ url }) => url).sort()).toEqual([
      "ws://chat.test/api/ws",
      "ws://server.test/api/ws",
    ]);
    act(() => StandInSocket.made.find(({ url }) => url.includes("chat"))?.opens());
    expect(result.current).toEqual({ own: "open", shared: "connecting" });
  });

  it("say what they miss without a provider", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const isolated = createWebSocketHooks({ isolated: true });
    for (const useHook of [isolated.useSend, slim.useSend, slim.useWebSocket]) {
      expect(() => renderHook(() => useHook())).toThrow("needs its <WebSocketProvider>");
    }
  });
});
