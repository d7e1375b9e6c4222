"use client";

import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";

export function Said() {
  const { emit, subscribe } = useWebSocket();
  const [text, setText] = useState("");
  useEffect(() => subscribe("said", (data) => setText(data.text)), [subscribe]);
  useEffect(() => {
    emit("say", { text: "react" });
  }, [emit]);
  return <output id="react">{text}</output>;
}
