import { useWebSocket, WebSocketProvider } from "everwire/react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** Everything that a server has not got, or must not use for every request. */
const FORBIDDEN = ["window", "document", "location", "WebSocket", "WebAssembly", "setInterval"];

beforeEach(() => {
  for (const name of FORBIDDEN) {
    vi.stubGlobal(name, undefined);
  }
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function Status() {
  const { phase, isConnected, queued, emit, subscribe, reconnect, disconnect } = useWebSocket();
  const functions = [emit, subscribe, reconnect, disconnect].every((value) => typeof value === "function");
  return `${phase} ${isConnected} ${queued} ${functions}`;
}

it("shows an idle connection, asks for no token and starts nothing", () => {
  const token = vi.fn();
  vi.useFakeTimers();
  const html = renderToString(
    <WebSocketProvider options={{ token }}>
      <Status />
    </WebSocketProvider>,
  );
  expect(html).toBe("idle false 0 true");
  expect(token).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("needs no provider either", () => {
  expect(renderToString(<Status />)).toBe("idle false 0 true");
});
