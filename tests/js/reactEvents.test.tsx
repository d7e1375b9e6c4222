// @vitest-environment happy-dom
import { act, render, renderHook } from "@testing-library/react";
import { NativeSocketClient } from "everwire";
import { useEvent, useEventState, useWebSocket, WebSocketProvider } from "everwire/react";
import * as React from "react";
import { StrictMode, Suspense, useEffect, useLayoutEffect } from "react";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient } from "./harness/clients";
import { below, nextFrame, says, usePage } from "./harness/page";
import { StandInSocket } from "./harness/standInSocket";

interface Score {
  points: number;
}

usePage();

describe("useEvent", () => {
  it("calls the latest handler, without subscribing anew", () => {
    const { client } = openClient();
    const on = vi.spyOn(client, "on");
    const heard: string[] = [];
    const { rerender, unmount } = renderHook(({ by }) => useEvent("score", () => heard.push(by)), {
      wrapper: below(client),
      initialProps: { by: "first" },
    });
    says("score", {});
    rerender({ by: "second" });
    says("score", {});
    expect(heard).toEqual(["first", "second"]);
    expect(on).toHaveBeenCalledTimes(1);
    unmount();
    says("score", {});
    expect(heard).toEqual(["first", "second"]);
  });

  it("hears the client's own events, with what they say", () => {
    const client = makeClient({ reconnect: { maxAttempts: 1, jitter: 0 } });
    const heard: unknown[] = [];
    renderHook(() => useEvent("give_up", ({ attempts }) => heard.push(attempts)), { wrapper: below(client) });
    act(() => StandInSocket.newest.ends());
    act(() => vi.advanceTimersByTime(1_000));
    act(() => StandInSocket.newest.ends());
    expect(heard).toEqual([1]);
  });

  it("subscribes before the connection opens, wherever in the tree the first user of it is", () => {
    const heard: unknown[] = [];
    function Child() {
      useWebSocket();
      return null;
    }
    function Parent() {
      useEvent("connecting_now", (data) => heard.push(data));
      return <Child />;
    }
    const client = makeClient();
    const connect = vi.spyOn(client, "connect").mockImplementation(() => {
      // A server that is there at once, before any effect of a parent.
      NativeSocketClient.prototype.connect.call(client);
      StandInSocket.newest.opens();
      StandInSocket.newest.says("connecting_now", { n: 1 });
    });
    render(<Parent />, { wrapper: below(client) });
    expect(connect).toHaveBeenCalledTimes(1);
    expect(heard).toEqual([{ n: 1 }]);
  });

  it("loses nothing that arrives while it is rendered, or between any two of its effects, and keeps the order", () => {
    openClient();
    const { client, socket } = openClient();
    const heard: unknown[] = [];
    let isRendered = false;
    const say = (n: number) => socket.says("score", { n });
    function Noisy() {
      if (!isRendered) say(1);
      isRendered = true;
      useLayoutEffect(() => say(2), []);
      useEffect(() => say(3), []);
      return null;
    }
    function Listening() {
      useEvent("score", (data) => heard.push(data));
      return <Noisy />;
    }
    render(<Listening />, { wrapper: below(client) });
    say(4);
    expect(heard).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  it("hears everything once in StrictMode, also after it is mounted anew", () => {
    const { client } = openClient();
    const heard: unknown[] = [];
    const Listening = () => {
      useEvent("score", ({ points }: Score) => heard.push(points));
      return null;
    };
    const app = (key: string) => (
      <StrictMode>
        <WebSocketProvider client={client}>
          <Listening key={key} />
        </WebSocketProvider>
      </StrictMode>
    );
    const { rerender } = render(app("before"));
    says("score", { points: 1 });
    // What hot reloading does to a component whose hooks have changed.
    rerender(app("after"));
    says("score", { points: 2 });
    expect(heard).toEqual([1, 2]);
    expect(StandInSocket.made).toHaveLength(1);
  });

  it("goes on hearing while its part of the page is suspended", async () => {
    const { client } = openClient();
    const heard: unknown[] = [];
    let finish = () => {};
    const loading = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let isLoading = false;
    function Lazy() {
      if (isLoading) throw loading;
      return null;
    }
    function Listening() {
      useEvent("score", ({ points }: Score) => heard.push(points));
      return null;
    }
    const app = () => (
      <WebSocketProvider client={client}>
        <Suspense fallback="loading">
          <Listening />
          <Lazy />
        </Suspense>
      </WebSocketProvider>
    );
    const { container, rerender } = render(app());
    isLoading = true;
    rerender(app());
    expect(container.textContent).toContain("loading");
    says("score", { points: 1 });
    isLoading = false;
    await act(async () => finish());
    says("score", { points: 2 });
    expect(heard).toEqual([1, 2]);
  });

  it.runIf("Activity" in React)("does nothing in a hidden part of the page, whose states go on", () => {
    const { client, socket } = openClient();
    const heard: number[] = [];
    function Listening() {
      useEvent("score", ({ points }: Score) => heard.push(points));
      return <b>{useEventState("score", (sum: number) => sum + 1, 0)}</b>;
    }
    const app = (mode: "visible" | "hidden") => (
      <WebSocketProvider client={client}>
        <React.Activity mode={mode}>
          <Listening />
        </React.Activity>
      </WebSocketProvider>
    );
    const { container, rerender } = render(app("visible"));
    for (const [points, mode] of ["visible", "hidden", "visible"].entries()) {
      rerender(app(mode as "visible" | "hidden"));
      act(() => socket.says("score", { points }));
      nextFrame();
    }
    expect(heard).toEqual([0, 2]);
    expect(container.textContent).toBe("3");
  });

  it("follows its name, and the client of its provider", () => {
    const first = makeClient({ url: "http://one.test" });
    const second = makeClient({ url: "http://two.test" });
    const heard: unknown[] = [];
    const Listening = ({ name }: { name: string }) => {
      useEvent(name, ({ n }: { n: number }) => heard.push(n));
      return null;
    };
    const app = (client: NativeSocketClient, name: string) => (
      <WebSocketProvider client={client}>
        <Listening name={name} />
      </WebSocketProvider>
    );
    const { rerender } = render(app(first, "a"));
    const one = StandInSocket.newest;
    act(() => one.opens());
    rerender(app(first, "b"));
    act(() => one.says("a", { n: 1 }));
    act(() => one.says("b", { n: 2 }));
    rerender(app(second, "b"));
    act(() => StandInSocket.newest.opens());
    act(() => one.says("b", { n: 3 }));
    says("b", { n: 4 });
    expect(heard).toEqual([2, 4]);
  });
});
