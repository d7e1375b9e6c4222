import { NativeSocketClient } from "everwire";
import { mistake, options, show, talk } from "./talk.js";

try {
  talk(new NativeSocketClient({ ...options(), ...mistake }), "default");
} catch (error) {
  show("default", String(error));
}
