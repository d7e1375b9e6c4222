// @vitest-environment happy-dom
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { act, cleanup, render } from "@testing-library/react";
import * as react from "everwire/react";
import * as reactSlim from "everwire/react/slim";
import { init, NativeSocketClient } from "everwire/slim";
import { expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

await init(await readFile(createRequire(import.meta.url).resolve("everwire/wasm")));

useStandIns();

it.each([
  ["everwire/react/slim", reactSlim],
  ["everwire/react", react],
])("a client of everwire/slim works below a provider of %s, with the hooks of both", (_, { WebSocketProvider }) => {
  const client = new NativeSocketClient({ url: "http://server.test" });
  function Status() {
    const send = reactSlim.useSend();
    const score = reactSlim.useEventState("score", (_: number, { points }: { points: number }) => points, 0);
    const phase = react.useConnection((snapshot) => snapshot.phase);
    return (
      <button type="button" onClick={() => send("move", { x: 1 })}>
        {phase} {score}
      </button>
    );
  }
  const { container } = render(
    <WebSocketProvider client={client}>
      <Status />
    </WebSocketProvider>,
  );
  expect(container.textContent).toBe("connecting 0");
  act(() => StandInSocket.newest.opens());
  act(() => StandInSocket.newest.says("score", { points: 5 }));
  act(() => vi.advanceTimersByTime(16));
  expect(container.textContent).toBe("open 5");
  container.querySelector("button")?.click();
  expect(StandInSocket.newest.types).toEqual(["move"]);
  expect(StandInSocket.made).toHaveLength(1);
  cleanup();
  client.disconnect();
});
