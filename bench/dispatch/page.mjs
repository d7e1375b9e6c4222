import { NativeSocketClient } from "everwire";
import { Router } from "/router.mjs";

const BYTES = 284;
const ROUNDS = 200;
const EVENTS_PER_ROUND = 5_000;
const WARM_UP_ROUNDS = 20;

/** Hears what it is told by whoever holds it. */
class StandInSocket {
  static newest;
  readyState = 0;

  constructor() {
    StandInSocket.newest = this;
  }

  send() {}

  close() {}

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }
}

window.measureRouting = () => {
  window.WebSocket = StandInSocket;
  const text = frame();
  let handled = 0;
  const handler = (data, message) => {
    if (data.emotion.intensity === 0.82 && message.type === "emotion_update") handled++;
  };

  const router = new Router("ws://stand-in.invalid/");
  router.on("emotion_update", handler);
  const routerSocket = StandInSocket.newest;

  const client = new NativeSocketClient({ url: "http://stand-in.invalid" });
  client.on("emotion_update", handler);
  client.connect();
  const clientSocket = StandInSocket.newest;
  clientSocket.open();
  if (client.getState() !== "open") throw new Error("the client did not open");

  const round = (socket) => {
    const before = performance.now();
    for (let i = 0; i < EVENTS_PER_ROUND; i++) socket.onmessage({ data: text });
    return ((performance.now() - before) * 1e6) / EVENTS_PER_ROUND;
  };
  const times = { router: [], client: [] };
  for (let i = -WARM_UP_ROUNDS; i < ROUNDS; i++) {
    // Whoever comes second finds the other's garbage, so they take turns.
    const first = i % 2 === 0;
    const a = round(first ? routerSocket : clientSocket);
    const b = round(first ? clientSocket : routerSocket);
    if (i < 0) continue;
    times.router.push(first ? a : b);
    times.client.push(first ? b : a);
  }
  const expected = 2 * (ROUNDS + WARM_UP_ROUNDS) * EVENTS_PER_ROUND;
  if (handled !== expected) throw new Error(`${handled} of ${expected} events were handled`);
  client.disconnect();
  return { bytes: BYTES, rounds: ROUNDS, events: EVENTS_PER_ROUND, ...times };
};

window.measureFirstClient = () => {
  const before = performance.now();
  new NativeSocketClient();
  return performance.now() - before;
};

function frame() {
  const envelope = {
    type: "emotion_update",
    data: {
      message_id: "message-3f2b8a540d3c4a7e9a635c",
      emotion: {
        primary_emotion: "curiosity",
        intensity: 0.82,
        pad_values: { pleasure: 0.41, arousal: 0.37, dominance: 0.22 },
        learning_readiness: "high",
        cognitive_load: "moderate",
      },
    },
    timestamp: 1750000000000,
  };
  const text = JSON.stringify(envelope);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes !== BYTES) throw new Error(`the frame has ${bytes} bytes instead of ${BYTES}`);
  return text;
}
