// @vitest-environment happy-dom
import { act, render, renderHook } from "@testing-library/react";
import { NativeSocketClient, type Options } from "everwire";
import { type UseWebSocket, useWebSocket, WebSocketProvider } from "everwire/react";
import { type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { opens, settle, usePage } from "./harness/page";
import { StandInSocket } from "./harness/standInSocket";

const OPTIONS: Options = { url: "http://server.test" };

usePage();

function withOptions({ children }: { children: ReactNode }) {
  return <WebSocketProvider options={OPTIONS}>{children}</WebSocketProvider>;
}

function strictly({ children }: { children: ReactNode }) {
  return <StrictMode>{withOptions({ children })}</StrictMode>;
}

function Status({ name = "status" }: { name?: string }) {
  const { phase, queued } = useWebSocket();
  return (
    <output>
      {name}: {phase} {queued}
    </output>
  );
}

describe("one component", () => {
  it("opens a connection when it mounts and closes it when it unmounts", () => {
    const { result, unmount } = renderHook(() => useWebSocket(), { wrapper: withOptions });
    expect(StandInSocket.made).toHaveLength(1);
    expect(result.current).toMatchObject({ state: "connecting", phase: "connecting", isConnected: false });
    opens();
    expect(result.current).toMatchObject({ state: "open", phase: "open", isConnected: true });
    unmount();
    settle();
    expect(StandInSocket.newest.closedWith).toBe(1000);
  });

  it("opens exactly one socket in StrictMode, which stays open", () => {
    const { result, rerender, unmount } = renderHook(() => useWebSocket(), { wrapper: strictly });
    settle();
    rerender();
    opens();
    settle();
    expect(StandInSocket.made).toHaveLength(1);
    expect(StandInSocket.newest.closedWith).toBeUndefined();
    expect(result.current.isConnected).toBe(true);
    unmount();
    settle();
    expect(StandInSocket.made).toHaveLength(1);
    expect(StandInSocket.newest.closedWith).toBe(1000);
  });

  it("connects anew when it comes back after the connection was closed", () => {
    const app = (shown: boolean) => withOptions({ children: shown ? <Status /> : null });
    const { rerender } = render(app(true));
    opens();
    rerender(app(false));
    settle();
    StandInSocket.newest.ends(1000);
    rerender(app(true));
    expect(StandInSocket.made).toHaveLength(2);
    expect(StandInSocket.live).toHaveLength(1);
  });

  it("sends, hears, disconnects and reconnects", () => {
    const { result } = renderHook(() => useWebSocket(), { wrapper: withOptions });
    opens();
    const heard: unknown[] = [];
    const end = result.current.subscribe("greeting", (data) => heard.push(data));
    act(() => StandInSocket.newest.says("greeting", { n: 1 }));
    end();
    act(() => StandInSocket.newest.says("greeting", { n: 2 }));
    expect(heard).toEqual([{ n: 1 }]);
    expect(result.current.emit("note", { n: 3 })).toEqual({ status: "sent" });
    expect(StandInSocket.newest.types).toEqual(["note"]);
    act(() => result.current.disconnect());
    act(() => StandInSocket.newest.ends(1000));
    expect(result.current.phase).toBe("idle");
    act(() => result.current.reconnect());
    opens();
    expect(result.current.isConnected).toBe(true);
  });

  it("shows a URL that cannot be connected to instead of taking the page down, and the logger hears of it once", () => {
    const lines: string[] = [];
    const options = { url: "nowhere", logger: { error: (text: string) => lines.push(text) } };
    const wrapper = ({ children }: { children: ReactNode }) => (
      <WebSocketProvider options={options}>{children}</WebSocketProvider>
    );
    const { result } = renderHook(() => useWebSocket(), { wrapper });
    expect(result.current.error).toMatchObject({ code: "invalid_url" });
    expect(lines).toEqual([expect.stringContaining("`url` is not an absolute URL")]);
    expect(StandInSocket.made).toEqual([]);
  });
});

describe("many components", () => {
  const app = (...names: string[]) => withOptions({ children: names.map((name) => <Status key={name} name={name} />) });

  it("share one connection and see the same", () => {
    const { container } = render(app("a", "b", "c"));
    opens();
    expect(StandInSocket.made).toHaveLength(1);
    expect(container.textContent).toBe("a: open 0b: open 0c: open 0");
  });

  it("keep it when one of them unmounts, and close it with the last", () => {
    const { rerender } = render(app("a", "b"));
    opens();
    rerender(app("b"));
    settle();
    expect(StandInSocket.newest.closedWith).toBeUndefined();
    rerender(app());
    expect(StandInSocket.newest.closedWith).toBeUndefined();
    settle();
    expect(StandInSocket.newest.closedWith).toBe(1000);
    expect(StandInSocket.made).toHaveLength(1);
  });

  it("hand it over when one page is replaced by another", () => {
    const { rerender } = render(app("old page"));
    opens();
    rerender(app("new page"));
    settle();
    expect(StandInSocket.made).toHaveLength(1);
    expect(StandInSocket.newest.closedWith).toBeUndefined();
  });

  it("below two providers have two connections", () => {
    render(
      <>
        {withOptions({ children: <Status /> })}
        {withOptions({ children: <Status /> })}
      </>,
    );
    expect(StandInSocket.live).toHaveLength(2);
  });
});

describe("a provider", () => {
  it("can be given a client, which others may use too", () => {
    const client = new NativeSocketClient(OPTIONS);
    const { result, unmount } = renderHook(() => useWebSocket(), {
      wrapper: ({ children }) => <WebSocketProvider client={client}>{children}</WebSocketProvider>,
    });
    opens();
    expect(result.current.client).toBe(client);
    expect(client.isConnected()).toBe(true);
    unmount();
    settle();
    client.disconnect();
  });

  it("connects a client that it is given, and never disconnects it, for it is its owner's", () => {
    const client = new NativeSocketClient(OPTIONS);
    const app = (shown: boolean) => <WebSocketProvider client={client}>{shown ? <Status /> : null}</WebSocketProvider>;
    const { rerender, unmount } = render(app(true));
    opens();
    rerender(app(false));
    settle();
    expect(client.isConnected()).toBe(true);
    rerender(app(true));
    unmount();
    settle();
    expect(client.isConnected()).toBe(true);
    expect(StandInSocket.made).toHaveLength(1);
    client.disconnect();
  });

  it("reads its options once, however often it renders", () => {
    const app = (token: string) => (
      <WebSocketProvider options={{ ...OPTIONS, token }}>
        <Status />
      </WebSocketProvider>
    );
    const { rerender } = render(app("first"));
    rerender(app("second"));
    settle();
    expect(StandInSocket.made.map(({ url }) => url)).toEqual(["ws://server.test/api/ws?token=first"]);
  });

  it("connects to where a new client says", () => {
    const app = (client: NativeSocketClient) => (
      <WebSocketProvider client={client}>
        <Status />
      </WebSocketProvider>
    );
    const first = new NativeSocketClient({ url: "http://one.test" });
    const second = new NativeSocketClient({ url: "http://two.test" });
    const { container, rerender } = render(app(first));
    opens();
    rerender(app(second));
    settle();
    expect(container.textContent).toBe("status: connecting 0");
    opens();
    expect(container.textContent).toBe("status: open 0");
    expect(StandInSocket.live.map(({ url }) => url)).toEqual(["ws://one.test/api/ws", "ws://two.test/api/ws"]);
    first.disconnect();
    second.disconnect();
  });
});

describe("a connection that was there before the first component", () => {
  it("stays when the last one goes, for it is somebody else's", async () => {
    vi.resetModules();
    const { nativeSocketClient } = await import("everwire");
    const { configureWebSocket, useWebSocket } = await import("everwire/react");
    configureWebSocket(OPTIONS);
    nativeSocketClient.connect();
    const { unmount } = renderHook(useWebSocket as () => UseWebSocket);
    opens();
    unmount();
    settle();
    expect(StandInSocket.made).toHaveLength(1);
    expect(nativeSocketClient.isConnected()).toBe(true);
    nativeSocketClient.disconnect();
  });

  it("but was on its way to its end is opened anew, and closes with the last", () => {
    const app = (shown: boolean) => withOptions({ children: shown ? <Status /> : null });
    const { container, rerender } = render(app(true));
    opens();
    rerender(app(false));
    settle();
    expect(StandInSocket.newest.closedWith).toBe(1000);
    rerender(app(true));
    opens();
    expect(container.textContent).toBe("status: open 0");
    rerender(app(false));
    settle();
    expect(StandInSocket.live).toEqual([]);
  });
});

describe("rendering", () => {
  it("keeps the identity of every function, and of everything while nothing changes", () => {
    const { result, rerender } = renderHook(() => useWebSocket(), { wrapper: withOptions });
    const before = result.current;
    rerender();
    expect(result.current).toBe(before);
    opens();
    const after = result.current;
    expect(after).not.toBe(before);
    for (const name of ["emit", "subscribe", "reconnect", "disconnect", "client"] as const) {
      expect(after[name]).toBe(before[name]);
    }
  });

  it("happens when the snapshot changes, and is caused by no clock and no event", () => {
    const rendered = vi.fn();
    renderHook(
      () => {
        rendered();
        return useWebSocket();
      },
      { wrapper: withOptions },
    );
    opens();
    const before = rendered.mock.calls.length;
    act(() => StandInSocket.newest.says("greeting", {}));
    act(() => vi.advanceTimersByTime(29_000));
    expect(rendered).toHaveBeenCalledTimes(before);
    act(() => StandInSocket.newest.ends());
    expect(rendered.mock.calls.length).toBeGreaterThan(before);
  });

  it("sets no timer besides the heartbeat's, and none while there is no connection", () => {
    const { result } = renderHook(() => useWebSocket(), { wrapper: withOptions });
    opens();
    settle();
    expect(vi.getTimerCount()).toBe(1);
    act(() => result.current.disconnect());
    act(() => StandInSocket.newest.ends(1000));
    settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("a page rendered on a server is taken over without a difference, and then connects", () => {
  const complaints = vi.spyOn(console, "error");
  const page = strictly({ children: <Status /> });
  const container = document.createElement("div");
  container.innerHTML = renderToString(page);
  expect(container.textContent).toBe("status: idle 0");
  expect(StandInSocket.made).toEqual([]);
  document.body.append(container);
  render(page, { container, hydrate: true });
  settle();
  opens();
  expect(container.textContent).toBe("status: open 0");
  expect(StandInSocket.made).toHaveLength(1);
  expect(complaints).not.toHaveBeenCalled();
});

it("components without a provider share the page's connection, with the options that were configured", async () => {
  vi.resetModules();
  const { configureWebSocket, useWebSocket } = await import("everwire/react");
  const hook: () => UseWebSocket = useWebSocket;
  configureWebSocket({ url: "http://configured.test" });
  renderHook(hook);
  renderHook(hook);
  expect(StandInSocket.made.map(({ url }) => url)).toEqual(["ws://configured.test/api/ws"]);
  const { nativeSocketClient } = await import("everwire");
  expect(nativeSocketClient.getState()).toBe("connecting");
});
