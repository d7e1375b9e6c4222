import { type CoLabMatchServerEvents, NativeSocketClient, type Snapshot } from "everwire";
import { durableOutbox } from "everwire/durable";
import { useWebSocket, WebSocketProvider } from "everwire/react";
import { typingText } from "everwire/session";

const client = new NativeSocketClient<CoLabMatchServerEvents>({ outbox: durableOutbox(), delivery: "reliable" });
const snapshot: Snapshot = client.getSnapshot();
// @ts-expect-error: not a state
const wrong: "opened" = snapshot.state;
export const all = [useWebSocket, WebSocketProvider, typingText([]), wrong];
