import { init, NativeSocketClient } from "everwire/slim";
import { options, say } from "./say.js";

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = async ({ data }) => {
    await init();
    say(new NativeSocketClient(options(data)), "shared", (text) => port.postMessage(text));
  };
};
