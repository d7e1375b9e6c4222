/** @jest-environment jsdom */
const { useWebSocket, WebSocketProvider } = require("everwire/react");
const { act, createElement, useEffect, useState } = require("react");

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

function Said({ heard }) {
  const { emit, subscribe } = useWebSocket();
  const [text, setText] = useState("");
  useEffect(() => subscribe("said", (data) => act(() => setText(data.text)).then(heard)), [subscribe, heard]);
  useEffect(() => {
    emit("say", { text: "jsdom" });
  }, [emit]);
  return text;
}

test("renders what the server says", async () => {
  const { createRoot } = require("react-dom/client");
  const options = { url: `http://127.0.0.1:${process.env.SERVER_PORT}` };
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  await new Promise((heard) => {
    act(() => root.render(createElement(WebSocketProvider, { options }, createElement(Said, { heard }))));
  });
  expect(document.body.textContent).toBe("jsdom was heard");
  await act(async () => root.unmount());
});
