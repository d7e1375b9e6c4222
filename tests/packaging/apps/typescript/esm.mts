import { type CoLabMatchServerEvents, NativeSocketClient, type Snapshot } from "everwire";
import { durableOutbox } from "everwire/durable";
import { useWebSocket, WebSocketProvider } from "everwire/react";
import { createWebSocketHooks } from "everwire/react/slim";
import { typingText } from "everwire/session";
import { init } from "everwire/slim";
import { TestServer } from "everwire/testing";
import { type StandardSchema, validate } from "everwire/validate";
import module from "everwire/wasm";

const client = new NativeSocketClient<CoLabMatchServerEvents>({
  outbox: durableOutbox({ name: "ada" }),
  delivery: "reliable",
});
const snapshot: Snapshot = client.getSnapshot();
// @ts-expect-error: not a state
const wrong: "opened" = snapshot.state;
export const all = [init(module), useWebSocket, WebSocketProvider, createWebSocketHooks, typingText([]), wrong];
export const more: readonly (TestServer | StandardSchema | typeof validate)[] = [new TestServer(), validate];
