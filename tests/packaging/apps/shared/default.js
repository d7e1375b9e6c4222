import { NativeSocketClient } from "everwire";
import { options, talk } from "./talk.js";

talk(new NativeSocketClient(options), "default");
