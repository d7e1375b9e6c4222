import { NativeSocketClient } from "everwire";
import { options, show, talk } from "./talk.js";

try {
  talk(new NativeSocketClient(options()), "default");
} catch (error) {
  show("default", String(error));
}
