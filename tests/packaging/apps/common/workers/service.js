import { NativeSocketClient } from "everwire";
import { options, say } from "./say.js";

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  const said = new Promise((resolve) => say(new NativeSocketClient(options(event.data)), "service", resolve));
  event.waitUntil(said.then((text) => event.source.postMessage(text)));
});
