// @vitest-environment jsdom
import { useWebSocket, WebSocketProvider } from "everwire/react";
import { createElement, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { expect, it } from "vitest";

function Said() {
  const { emit, subscribe } = useWebSocket();
  const [text, setText] = useState("");
  useEffect(() => subscribe("said", (data) => setText(data.text)), [subscribe]);
  useEffect(() => {
    emit("say", { text: "jsdom" });
  }, [emit]);
  return text;
}

it("renders what the server says", async () => {
  const options = { url: `http://127.0.0.1:${process.env.SERVER_PORT}` };
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  root.render(createElement(WebSocketProvider, { options }, createElement(Said)));
  await expect.poll(() => document.body.textContent, { timeout: 10_000 }).toBe("jsdom was heard");
  root.unmount();
});
