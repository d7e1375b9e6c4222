// @vitest-environment happy-dom
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { NativeSocketClient, type Options } from "everwire";
import {
  createWebSocketHooks,
  useConnection,
  useEvent,
  useEventState,
  useSend,
  useWebSocket,
  WebSocketProvider,
} from "everwire/react";
import * as slim from "everwire/react/slim";
import * as React from "react";
import { type ReactNode, StrictMode, Suspense, startTransition, useEffect, useLayoutEffect, useState } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeClient, openClient, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

const OPTIONS: Options = { url: "http://server.test" };
const FRAME_MS = 16;

interface FromServer {
  score: { points: number };
  name: { name: string };
}
interface ToServer {
  move: { x: number };
}

useStandIns();
afterEach(() => {
  cleanup();
  act(() => vi.advanceTimersByTime(1));
});

const says = (type: string, data: object) => act(() => StandInSocket.newest.says(type, data));
const nextFrame = () => act(() => vi.advanceTimersByTime(FRAME_MS));

function below(client: NativeSocketClient) {
  return ({ children }: { children: ReactNode }) => <WebSocketProvider client={client}>{children}</WebSocketProvider>;
}

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
      useEvent("score", ({ points }: FromServer["score"]) => heard.push(points));
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
      useEvent("score", ({ points }: FromServer["score"]) => heard.push(points));
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
      useEvent("score", ({ points }: FromServer["score"]) => heard.push(points));
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

describe("useEventState", () => {
  const count = (sum: number) => sum + 1;

  it("takes in every event of a burst, and renders at most once a frame", () => {
    const { client, socket } = openClient();
    const rendered = vi.fn();
    const { result } = renderHook(
      () => {
        rendered();
        return useEventState(
          "score",
          (all: readonly number[], { points }: FromServer["score"]) => [...all, points],
          [],
        );
      },
      { wrapper: below(client) },
    );
    const before = rendered.mock.calls.length;
    let frames = 0;
    act(() => {
      for (let points = 0; points < 1_000; points++) {
        socket.says("score", { points });
        if (points % 100 === 99) {
          vi.advanceTimersByTime(FRAME_MS);
          frames++;
        }
      }
    });
    expect(result.current).toEqual([...Array(1_000).keys()]);
    expect(rendered.mock.calls.length - before).toBeLessThanOrEqual(frames);
  });

  it("shows nothing before the frame, and nothing at all if a reducer has changed nothing", () => {
    const { client, socket } = openClient();
    const rendered = vi.fn();
    const { result } = renderHook(
      () => {
        rendered();
        return useEventState("score", (best: number, { points }: FromServer["score"]) => Math.max(best, points), 0);
      },
      { wrapper: below(client) },
    );
    const timers = vi.getTimerCount();
    says("score", { points: 0 });
    expect(vi.getTimerCount()).toBe(timers);
    says("score", { points: 3 });
    expect(result.current).toBe(0);
    nextFrame();
    expect(result.current).toBe(3);
    const before = rendered.mock.calls.length;
    act(() => socket.says("score", { points: 2 }));
    nextFrame();
    expect(rendered).toHaveBeenCalledTimes(before);
  });

  it("loses nothing that arrives while it is rendered, or before its effects", () => {
    const { client, socket } = openClient();
    let isRendered = false;
    function Noisy() {
      if (!isRendered) socket.says("score", {});
      isRendered = true;
      useLayoutEffect(() => socket.says("score", {}), []);
      useEffect(() => socket.says("score", {}), []);
      return null;
    }
    function Counting() {
      return (
        <>
          {useEventState("score", count, 0)}
          <Noisy />
        </>
      );
    }
    const { container } = render(<Counting />, { wrapper: below(client) });
    act(() => socket.says("score", {}));
    nextFrame();
    expect(container.textContent).toBe("4");
  });

  it("loses nothing while a transition to it is under way, of which the page goes on without", async () => {
    const { client, socket } = openClient();
    let finish = () => {};
    let isLoading = true;
    const loading = new Promise<void>((resolve) => {
      finish = () => {
        isLoading = false;
        resolve();
      };
    });
    function Slow() {
      if (isLoading) throw loading;
      return null;
    }
    let show = (_: boolean) => {};
    function Counter() {
      return <b>{useEventState("score", count, 0)}</b>;
    }
    function Page() {
      const [isShown, setShown] = useState(false);
      show = setShown;
      return (
        <Suspense fallback="loading">
          <Counter />
          {isShown && <Slow />}
        </Suspense>
      );
    }
    const { container } = render(<Page />, { wrapper: below(client) });
    await act(async () => startTransition(() => show(true)));
    for (let n = 0; n < 5; n++) act(() => socket.says("score", {}));
    nextFrame();
    expect(container.textContent).toBe("5");
    await act(async () => finish());
    act(() => socket.says("score", {}));
    nextFrame();
    expect(container.textContent).toBe("6");
  });

  it("renders within a second in a hidden page, which paints no frames", () => {
    const { client, socket } = openClient();
    vi.stubGlobal("requestAnimationFrame", () => 1);
    const { result } = renderHook(() => useEventState("score", count, 0), { wrapper: below(client) });
    for (let n = 0; n < 10; n++) act(() => socket.says("score", {}));
    expect(result.current).toBe(0);
    act(() => vi.advanceTimersByTime(1_000));
    expect(result.current).toBe(10);
  });

  it("begins again with another name, and uses the latest reducer", () => {
    const { client, socket } = openClient();
    const { result, rerender } = renderHook(
      ({ name, step }) =>
        useEventState(
          name,
          (sum: number) => sum + step,
          () => 100,
        ),
      { wrapper: below(client), initialProps: { name: "a", step: 1 } },
    );
    act(() => socket.says("a", {}));
    rerender({ name: "a", step: 10 });
    act(() => socket.says("a", {}));
    nextFrame();
    expect(result.current).toBe(111);
    rerender({ name: "b", step: 1 });
    expect(result.current).toBe(100);
    act(() => socket.says("a", {}));
    act(() => socket.says("b", {}));
    nextFrame();
    expect(result.current).toBe(101);
  });

  it("keeps its state when a reducer throws, which is reported", () => {
    const { client, socket } = openClient();
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    const reduce = (sum: number, { points }: FromServer["score"]) => {
      if (points < 0) throw new Error("no such score");
      return sum + points;
    };
    const { result } = renderHook(() => useEventState("score", reduce, 0), { wrapper: below(client) });
    for (const points of [1, -1, 2]) act(() => socket.says("score", { points }));
    nextFrame();
    expect(result.current).toBe(3);
    expect(errors).toMatchObject([{ code: "handler_failed", event: "score" }]);
  });

  it("shows the same in all components at every rendering", () => {
    const { client, socket } = openClient();
    const seen: string[] = [];
    function Counter({ name }: { name: string }) {
      const sum = useEventState("score", count, 0);
      useLayoutEffect(() => {
        seen.push(`${name}${sum}`);
      });
      return null;
    }
    render(
      <>
        <Counter name="a" />
        <Counter name="b" />
      </>,
      { wrapper: below(client) },
    );
    act(() => {
      socket.says("score", {});
      socket.says("score", {});
      vi.advanceTimersByTime(FRAME_MS);
      socket.says("score", {});
      vi.advanceTimersByTime(FRAME_MS);
    });
    const [a, b] = ["a", "b"].map((name) => seen.filter((text) => text.startsWith(name)).map((text) => text.slice(1)));
    expect(a).toEqual(b);
    expect(a?.at(-1)).toBe("3");
  });
});

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
            <WebSocketProvider options={OPTIONS}>{children}</WebSocketProvider>
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
