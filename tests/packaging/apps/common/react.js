import * as hooks from "everwire/react";
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Said } from "./said.js";
import { options } from "./talk.js";

const said = createElement(Said, { name: "react", hooks });
const app = createElement(hooks.WebSocketProvider, { options: options() }, said);
createRoot(document.getElementById("root")).render(createElement(StrictMode, null, app));
