import { createElement, useEffect, useState } from "react";

/** Says something to the server, and shows what it says to that; the hooks are those of either entry. */
export function Said({ name, hooks }) {
  const { emit, subscribe } = hooks.useWebSocket();
  const [text, setText] = useState("");
  useEffect(() => subscribe("said", (data) => setText(data.text)), [subscribe]);
  useEffect(() => {
    emit("say", { text: name });
  }, [emit, name]);
  return createElement("output", { id: name }, text);
}
