import { init, NativeSocketClient } from "everwire/slim";
import { options, show, talk } from "./talk.js";

init().then(
  () => talk(new NativeSocketClient(options()), "slim"),
  (error) => show("slim", String(error)),
);
