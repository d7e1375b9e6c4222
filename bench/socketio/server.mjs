// A Socket.IO server that does as little as it can for each event, so that the page is what is measured.

import { WebSocketServer } from "ws";
import { frame } from "../common/frame.mjs";
import { eventOf } from "../flood/events.mjs";

/** Adds WebSockets to an HTTP server: one named `control`, by which the page asks for floods, and one for each client. */
export function answerUpgrades(server) {
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const lanes = new Map();
  server.on("upgrade", (request, socket, head) => {
    const name = new URL(request.url, "http://loopback.invalid").searchParams.get("lane");
    upgrades.handleUpgrade(request, socket, head, (connection) => {
      if (name === "control") control(connection, lanes);
      else lanes.set(name, new Lane(connection, socket));
    });
  });
}

function control(connection, lanes) {
  connection.on("message", (text) => {
    const { lane: name, events, messages } = JSON.parse(text);
    const lane = lanes.get(name);
    if (events) lane.flood(events);
    if (messages) {
      lane.expect(messages, () => connection.send("{}"));
      connection.send("{}");
    }
  });
}

class Lane {
  #socket;
  /** What is left to come of the messages that are expected. */
  #missing = 0;
  #whenComplete = () => {};

  constructor(connection, socket) {
    this.#socket = socket;
    connection.on("message", (bytes) => {
      if (bytes[0] !== MESSAGE) return;
      if (bytes[1] === CONNECT) connection.send('40{"sid":"s1"}');
      if (bytes[1] === EVENT && --this.#missing === 0) this.#whenComplete();
    });
    const pings = setInterval(() => connection.send("2"), PING_INTERVAL_MS);
    connection.on("close", () => clearInterval(pings));
    const handshake = { sid: "e1", upgrades: [], pingInterval: PING_INTERVAL_MS, pingTimeout: 20_000, maxPayload: 1e6 };
    connection.send(`0${JSON.stringify(handshake)}`);
  }

  /** Sends events as one batch of bytes that is complete before the first of them is written. */
  flood(count) {
    const frames = [];
    for (let number = 0; number < count; number++) {
      const { type, data } = eventOf(number);
      frames.push(frame(`42${JSON.stringify([type, data])}`));
    }
    this.#socket.write(Buffer.concat(frames));
  }

  expect(count, whenComplete) {
    this.#missing = count;
    this.#whenComplete = whenComplete;
  }
}

const [MESSAGE, CONNECT, EVENT] = ["4", "0", "2"].map((type) => type.charCodeAt(0));
const PING_INTERVAL_MS = 10_000;
