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

  const reliable = new NativeSocketClient({ url: "http://stand-in.invalid", delivery: "reliable" });
  reliable.on("emotion_update", handler);
  reliable.connect();
  const reliableSocket = StandInSocket.newest;
  reliableSocket.open();
  const says = (type, data) => reliableSocket.onmessage({ data: JSON.stringify({ type, data }) });
  says("welcome", { version: 1, epoch: 1, last: 0, streams: { user: 0 } });
  says("pong", {});
  if (reliable.getSnapshot().delivery !== "reliable") throw new Error("the reliable client did not open");

  const sides = {
    router: [routerSocket, () => text],
    client: [clientSocket, () => text],
    reliable: [reliableSocket, (offset) => stored(text, offset)],
  };
  let offset = 0;
  const round = ([socket, frameAt]) => {
    const frames = Array.from({ length: EVENTS_PER_ROUND }, (_, i) => frameAt(offset + i + 1));
    const before = performance.now();
    for (const data of frames) socket.onmessage({ data });
    return ((performance.now() - before) * 1e6) / EVENTS_PER_ROUND;
  };
  const names = Object.keys(sides);
  const times = { router: [], client: [], reliable: [] };
  for (let i = -WARM_UP_ROUNDS; i < ROUNDS; i++) {
    // Whoever comes later finds the others' garbage, so they take turns.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(i + WARM_UP_ROUNDS + turn) % names.length];
      const nanoseconds = round(sides[name]);
      if (i >= 0) times[name].push(nanoseconds);
    }
    offset += EVENTS_PER_ROUND;
  }
  const expected = names.length * (ROUNDS + WARM_UP_ROUNDS) * EVENTS_PER_ROUND;
  if (handled !== expected) throw new Error(`${handled} of ${expected} events were handled`);
  client.disconnect();
  reliable.disconnect();
  return { bytes: BYTES, rounds: ROUNDS, events: EVENTS_PER_ROUND, ...times };
};

window.measureFirstClient = () => {
  const before = performance.now();
  new NativeSocketClient();
  return performance.now() - before;
};

/** The frame as a server of the reliable mode stores it. */
const stored = (text, offset) => `${text.slice(0, -1)},"stream":"user","offset":${offset}}`;

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
