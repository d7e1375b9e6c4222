import * as hooks from "everwire/react/slim";
import { init, NativeSocketClient } from "everwire/slim";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { Said } from "./said.js";
import { options } from "./talk.js";

init().then(() => {
  const said = createElement(Said, { name: "react-slim", hooks });
  const app = createElement(hooks.WebSocketProvider, { client: new NativeSocketClient(options()) }, said);
  createRoot(document.getElementById("slim-root")).render(app);
});
