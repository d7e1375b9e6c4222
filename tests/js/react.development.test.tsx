// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/react";
import { configureWebSocket, nativeSocketClient, type Options } from "everwire";
import { useConnection, useSession, WebSocketProvider } from "everwire/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";

useStandIns();
afterEach(cleanup);

let warnings: string[];
beforeEach(() => {
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((text) => void warnings.push(text));
});

function Phase() {
  return useConnection(({ phase }) => phase);
}

const app = (options: Options) => (
  <WebSocketProvider options={options}>
    <Phase />
  </WebSocketProvider>
);

describe("a provider whose options change", () => {
  it("names them once, and not what they are", () => {
    const { rerender } = render(app({ url: "http://server.test", token: "old secret", reconnect: { maxAttempts: 3 } }));
    for (let rendering = 0; rendering < 2; rendering++) {
      rerender(app({ url: "http://server.test", token: "new secret", reconnect: { maxAttempts: Infinity } }));
    }
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("`token`");
    expect(warnings[0]).toContain("change the provider's `key`");
    expect(warnings[1]).toContain("`reconnect`");
    expect(warnings.join()).not.toContain("secret");
  });

  it("says nothing of options that are the same, or functions and objects that are written inline", () => {
    const inline = (): Options => ({
      url: "http://server.test",
      token: () => "token",
      reconnect: { maxAttempts: Infinity },
      logger: { warn: () => {} },
    });
    const { rerender } = render(app(inline()));
    rerender(app(inline()));
    expect(warnings).toEqual([]);
  });
});

it("configureWebSocket says that it comes too late", () => {
  configureWebSocket({ url: "http://server.test" });
  expect(warnings).toEqual([]);
  nativeSocketClient.getState();
  configureWebSocket({ url: "http://other.test" });
  expect(warnings).toEqual([expect.stringContaining("configureWebSocket() has no effect")]);
});

it("a conversation without a provider above it says where its client has to be set up", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const Conversation = () => useSession("s1").messages.length;
  expect(() => render(<Conversation />)).toThrow(/configureWebSocket\(\).* <WebSocketProvider>/);
});
