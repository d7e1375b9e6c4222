// @vitest-environment happy-dom
import type { NativeSocketClient } from "everwire";
import type { ComponentType } from "react";
import { describe, expect, it, vi } from "vitest";
import { openClient, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

interface Refresh {
  injectIntoGlobalHook(global: object): void;
  register(type: object, id: string): void;
  createSignatureFunctionForTransform(): (type?: object, key?: string) => void;
  performReactRefresh(): void;
}

// What a bundler's development server does: the runtime has to be there before React's renderer.
// @ts-expect-error it has no types
const runtime: Refresh = (await import("react-refresh/runtime")).default;
runtime.injectIntoGlobalHook(globalThis);
const { act, render, cleanup } = await import("@testing-library/react");
const { useEvent, useEventState, useSession, WebSocketProvider } = await import("everwire/react");
const { chat } = await import("everwire/session");

useStandIns();

const heard: string[] = [];

/** A version of the component's file; `hooks` is what the bundler says of the hooks that it uses. */
function edit(label: string, hooks: string): ComponentType {
  const sign = runtime.createSignatureFunctionForTransform();
  function Score() {
    sign();
    useEvent("score", () => heard.push(label));
    const count = useEventState("score", (sum: number) => sum + 1, 0);
    const { messages } = useSession("s1");
    return (
      <b>
        {label} {count} {messages.length}
      </b>
    );
  }
  sign(Score, hooks);
  runtime.register(Score, "Score");
  return Score;
}

function open(): { client: NativeSocketClient; text: () => string | null } {
  const { client } = openClient({ chat: chat({ userId: "ada" }) });
  const Score = edit("first", "as before");
  const { container } = render(
    <WebSocketProvider client={client}>
      <Score />
    </WebSocketProvider>,
  );
  act(() => void client.session("s1").send("Hello"));
  return { client, text: () => container.textContent };
}

const says = () => act(() => StandInSocket.newest.says("score", {}));
const frame = () => act(() => vi.advanceTimersByTime(16));

describe("a component whose file is edited", () => {
  it.each([
    ["keeps its state while it uses the same hooks", "as before", "second 2 1"],
    ["begins anew when it uses others", "others", "second 1 1"],
  ])("%s, hears every event once, and stays on its socket and in its session", (_, hooks, shown) => {
    heard.length = 0;
    const { client, text } = open();
    says();
    frame();
    expect(text()).toBe("first 1 1");
    act(() => {
      edit("second", hooks);
      runtime.performReactRefresh();
    });
    frame();
    says();
    frame();
    expect(text()).toBe(shown);
    expect(heard).toEqual(["first", "second"]);
    expect(StandInSocket.made).toHaveLength(1);
    expect(client.isConnected()).toBe(true);
    expect(StandInSocket.newest.types.filter((type) => type.includes("session"))).toEqual(["join_session"]);
    cleanup();
    frame();
  });
});
