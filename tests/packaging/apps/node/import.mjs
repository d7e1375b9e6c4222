import { NativeSocketClient } from "everwire";
import * as react from "everwire/react";
import { typingText } from "everwire/session";
import WebSocket from "ws";

const client = new NativeSocketClient({ url: `http://127.0.0.1:${process.argv[2]}`, WebSocket });
client.on("said", ({ text }) => {
  console.log(text, typingText(["Ada"]), typeof react.useWebSocket);
  client.disconnect();
});
client.connect();
client.send("say", { text: "import" });
