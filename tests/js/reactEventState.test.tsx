// @vitest-environment happy-dom
import { act, render, renderHook } from "@testing-library/react";
import { useEventState } from "everwire/react";
import { Suspense, startTransition, useEffect, useLayoutEffect, useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { openClient } from "./harness/clients";
import { below, FRAME_MS, nextFrame, says, usePage } from "./harness/page";

interface Score {
  points: number;
}

usePage();

describe("useEventState", () => {
  const count = (sum: number) => sum + 1;

  it("takes in every event of a burst, and renders at most once a frame", () => {
    const { client, socket } = openClient();
    const rendered = vi.fn();
    const { result } = renderHook(
      () => {
        rendered();
        return useEventState("score", (all: readonly number[], { points }: Score) => [...all, points], []);
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
        return useEventState("score", (best: number, { points }: Score) => Math.max(best, points), 0);
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
    const reduce = (sum: number, { points }: Score) => {
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
