import { NativeSocketClient } from "everwire";
import { options, say } from "./say.js";

self.onmessage = ({ data }) =>
  say(new NativeSocketClient(options(data)), "dedicated", (text) => self.postMessage(text));
