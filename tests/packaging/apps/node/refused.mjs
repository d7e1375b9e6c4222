import { NativeSocketClient } from "everwire";
import WebSocket from "ws";

// Nobody listens on this port, and Node's `ws` ends a process that does not look at its errors.
const client = new NativeSocketClient({ url: "http://127.0.0.1:9", WebSocket, reconnect: { maxAttempts: 0 } });
client.on("give_up", () => console.log("gave up"));
client.connect();
