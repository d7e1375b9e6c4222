import { useWebSocket, WebSocketProvider } from "everwire/react";
import { createElement, StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { options } from "./talk.js";

function Said() {
  const { emit, subscribe } = useWebSocket();
  const [text, setText] = useState("");
  useEffect(() => subscribe("said", (data) => setText(data.text)), [subscribe]);
  useEffect(() => {
    emit("say", { text: "react" });
  }, [emit]);
  return createElement("output", { id: "react" }, text);
}

const app = createElement(WebSocketProvider, { options: options() }, createElement(Said));
createRoot(document.getElementById("root")).render(createElement(StrictMode, null, app));
