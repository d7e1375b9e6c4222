import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { init, NativeSocketClient } from "everwire/slim";
import WebSocket from "ws";

await init(readFile(fileURLToPath(import.meta.resolve("everwire/wasm"))));
const client = new NativeSocketClient({ url: `http://127.0.0.1:${process.argv[2]}`, WebSocket });
client.on("said", ({ text }) => {
  console.log(text);
  client.disconnect();
});
client.connect();
client.send("say", { text: "slim" });
