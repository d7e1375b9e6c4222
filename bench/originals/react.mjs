import { useWebSocket, WebSocketProvider } from "everwire/react";
import { createElement, useEffect, useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { emotion, openClient, push } from "./connections.mjs";

const COMPONENTS = 1_000;
const WARM_UP_ROUNDS = 10;

let frameAt;
let shown = () => {};

/** Notes when a frame arrives, before the client hears of it. */
class ObservedSocket extends WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", () => {
      frameAt = performance.now();
    });
  }
}

function Widget() {
  const { subscribe } = useWebSocket();
  const [update, setUpdate] = useState();
  useEffect(() => subscribe("emotion_update", setUpdate), [subscribe]);
  useLayoutEffect(() => {
    if (update) shown(performance.now());
  }, [update]);
  return createElement("p", null, update ? `${update.message_id}: ${update.emotion.primary_emotion}` : "neutral");
}

/** From the frame at the socket to the changed document, and to the first task after the frame in which it was painted. */
export async function measureUpdate(rounds) {
  window.WebSocket = ObservedSocket;
  const client = await openClient("ada");
  const root = createRoot(document.getElementById("root"));
  flushSync(() => root.render(createElement(WebSocketProvider, { client }, createElement(Widget))));
  // Subscriptions begin in an effect.
  await painted();
  const committed = [];
  const paintedAfter = [];
  for (let round = -5; round < rounds; round++) {
    // Events come at any point of a frame, and not right after one.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    const done = new Promise((resolve) => {
      shown = (committedAt) => painted().then((paintedAt) => resolve({ committedAt, paintedAt }));
    });
    await push("ada", "emotion_update", emotion(`message-${round}`));
    const { committedAt, paintedAt } = await done;
    if (round < 0) continue;
    committed.push(committedAt - frameAt);
    paintedAfter.push(paintedAt - frameAt);
  }
  root.unmount();
  client.dispose();
  return { committed, painted: paintedAfter };
}

function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now());
      port2.postMessage(undefined);
    });
  });
}

function Plain({ turn }) {
  return createElement("i", null, turn);
}

function Hooked({ turn }) {
  const { isConnected } = useWebSocket();
  return createElement("i", null, isConnected ? turn : -1);
}

function Many({ component, turn }) {
  return Array.from({ length: COMPONENTS }, (_, key) => createElement(component, { key, turn }));
}

/** What one rendering of a component takes longer, in milliseconds, because it uses the hook. */
export async function measureHook(rounds) {
  const client = await openClient("ada");
  const root = createRoot(document.getElementById("root"));
  const render = (component, turn) => {
    const tree = createElement(WebSocketProvider, { client }, createElement(Many, { component, turn }));
    flushSync(() => root.render(tree));
  };
  const again = (component, turn) => {
    render(component, turn - 1);
    const before = performance.now();
    render(component, turn);
    return (performance.now() - before) / COMPONENTS;
  };
  const costs = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const turn = 2 * (round + WARM_UP_ROUNDS) + 1;
    const plain = again(Plain, turn);
    const hooked = again(Hooked, turn);
    if (round >= 0) costs.push(hooked - plain);
  }
  root.unmount();
  client.dispose();
  return costs;
}
