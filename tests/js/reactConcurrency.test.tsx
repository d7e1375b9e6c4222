// @vitest-environment happy-dom
import { NativeSocketClient } from "everwire";
import { useEvent, useEventState, WebSocketProvider } from "everwire/react";
import { startTransition, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { StandInSocket } from "./harness/standInSocket";

// Without `act`, and in real time, so that React itself decides when to pause.

beforeEach(() => {
  StandInSocket.made = [];
  vi.stubGlobal("WebSocket", StandInSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** How long the rendering of one piece takes: React pauses a transition every 5 ms. */
const PIECE_MS = 4;
const PIECES = 20;

let rendered = 0;

function Piece() {
  const until = performance.now() + PIECE_MS;
  while (performance.now() < until);
  rendered++;
  return null;
}

it("a transition that is rendered piece by piece misses nothing that arrives between them", async () => {
  const client = new NativeSocketClient({ url: "http://server.test" });
  client.connect();
  const socket = StandInSocket.newest;
  socket.opens();

  const heard: Record<string, number[]> = { first: [], last: [] };
  let show = (_: boolean): void => {};

  function Listening({ name }: { name: string }) {
    useEvent("score", ({ points }: { points: number }) => heard[name]?.push(points));
    return <b>{useEventState("score", (sum: number) => sum + 1, 0)}</b>;
  }
  function Page({ mounted }: { mounted: () => void }) {
    useEffect(() => mounted());
    const [isShown, setShown] = useState(false);
    show = setShown;
    if (!isShown) return null;
    return (
      <>
        <Listening name="first" />
        {Array.from({ length: PIECES }, (_, index) => (
          <Piece key={index} />
        ))}
        <Listening name="last" />
      </>
    );
  }
  const container = document.createElement("div");
  const root = createRoot(container);
  const numbers = (): (string | null)[] => [...container.querySelectorAll("b")].map(({ textContent }) => textContent);
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  const until = async (condition: () => boolean) => {
    while (!condition()) await turn();
  };
  const mounted = vi.fn();
  root.render(
    <WebSocketProvider client={client}>
      <Page mounted={mounted} />
    </WebSocketProvider>,
  );
  await until(() => mounted.mock.calls.length > 0);
  startTransition(() => show(true));
  await until(() => rendered >= 5);
  expect(rendered).toBeLessThan(PIECES);
  expect(numbers()).toEqual([]);
  socket.says("score", { points: 1 });
  socket.says("score", { points: 2 });
  await until(() => numbers().length > 0);
  expect(rendered).toBe(PIECES);
  socket.says("score", { points: 3 });
  await until(() => numbers()[0] === "3");
  expect(heard["first"]).toEqual([1, 2, 3]);
  // It was rendered after the first two had come.
  expect(heard["last"]).toEqual([3]);
  root.unmount();
  client.disconnect();
});
