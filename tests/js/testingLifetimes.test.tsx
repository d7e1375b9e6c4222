// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { configureWebSocket, nativeSocketClient } from "everwire";
import { useWebSocket } from "everwire/react";
import { TestServer } from "everwire/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

// The page's one client outlives the tests of a file.
configureWebSocket({ url: "ws://test", token: "ada" });

function Phase() {
  return <output>{useWebSocket().phase}</output>;
}

let server: TestServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new TestServer().install();
});
afterEach(async () => {
  cleanup();
  // The hook disconnects once the page has had the time to mount something else.
  await vi.advanceTimersByTimeAsync(0);
  server.close();
  vi.useRealTimers();
});

const phase = () => screen.getByRole("status").textContent;

it.each([
  "an open connection",
  "the next test",
  "a silent server",
  "the test after it",
  "a server that is away",
  "the last one",
])("a client that every test shares starts anew: %s", async (name) => {
  expect(server.connections).toEqual([]);
  render(<Phase />);
  await act(() => server.connection());
  expect([phase(), server.connections.length]).toEqual(["open", 1]);
  if (name === "a silent server") server.faults.silence();
  if (name === "a server that is away") server.faults.restart({ downMs: 1_000 });
  await act(() => server.settled());
});

it("a client that is told nothing stops with its server, and reaches no network", async () => {
  server.close();
  const real = vi.fn();
  vi.stubGlobal("WebSocket", real);
  await vi.advanceTimersByTimeAsync(600_000);
  vi.unstubAllGlobals();
  expect(nativeSocketClient.isConnected()).toBe(false);
  expect(real).not.toHaveBeenCalled();
});
