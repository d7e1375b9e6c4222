// The other end of the flood. It does as little as it can for each event and message, so that the page is what is measured.

import { WebSocketServer } from "ws";
import { frame } from "../common/frame.mjs";
import { eventText } from "./events.mjs";

/** Adds WebSockets to an HTTP server: one named `control`, by which the page asks for floods, and one for each lane. */
export function answerUpgrades(server) {
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const lanes = new Map();
  server.on("upgrade", (request, socket, head) => {
    const { searchParams } = new URL(request.url, "http://loopback.invalid");
    upgrades.handleUpgrade(request, socket, head, (connection) => {
      const name = searchParams.get("lane");
      if (name === "control") control(connection, lanes);
      else lanes.set(name, new Lane(connection, socket, searchParams.get("stored") === "true"));
    });
  });
}

function control(connection, lanes) {
  connection.on("message", (text) => {
    const { lane: name, events, messages } = JSON.parse(text);
    const lane = lanes.get(name);
    if (events) lane.flood(events);
    if (messages) lane.expect(messages, (report) => connection.send(JSON.stringify(report)));
    if (messages) connection.send(JSON.stringify({ ready: true }));
  });
}

class Lane {
  #connection;
  #socket;
  #isStored;
  #offset = 1_767_268_800_000;
  /** What is left to come of the messages that are expected. */
  #missing = 0;
  #whenComplete = () => {};
  #isWelcomed = false;
  /** The message that the next acknowledgement names, while there is one to send. */
  #newest;
  #bytes = 0;
  #acks = 0;

  constructor(connection, socket, isStored) {
    this.#connection = connection;
    this.#socket = socket;
    this.#isStored = isStored;
    connection.on("message", (bytes) => this.#take(bytes));
  }

  /** Sends events as one batch of bytes that is complete before the first of them is written. */
  flood(count) {
    const frames = [];
    for (let number = 0; number < count; number++) {
      const stored = this.#isStored ? { stream: "user", offset: ++this.#offset } : {};
      frames.push(frame(eventText(number, stored)));
    }
    this.#socket.write(Buffer.concat(frames));
  }

  expect(count, whenComplete) {
    const before = performance.eventLoopUtilization();
    this.#missing = count;
    this.#bytes = 0;
    this.#acks = 0;
    this.#whenComplete = () => {
      const { utilization } = performance.eventLoopUtilization(before);
      whenComplete({ busy: utilization, bytes: this.#bytes / count, acks: this.#acks });
    };
  }

  #take(bytes) {
    // The names of the protocol's own frames begin with "h" and "p", those of messages do not.
    if (bytes[TYPE_AT] !== MESSAGE) {
      this.#answer(JSON.parse(bytes));
      return;
    }
    this.#missing--;
    this.#bytes += bytes.length;
    if (this.#isWelcomed) this.#acknowledge(bytes);
    if (this.#missing === 0) this.#whenComplete();
  }

  #answer({ type }) {
    if (type === "ping") this.#say("pong", { timestamp: new Date().toISOString() });
    if (type !== "hello") return;
    this.#isWelcomed = true;
    this.#say("welcome", { version: 1, epoch: 1, last: 0, window: 1_024, streams: { user: this.#offset } });
  }

  /**
   * One acknowledgement covers all that has arrived within a millisecond, as one commit of a server that stores does: the reference server sends 35 to 100
   * for as many messages.
   */
  #acknowledge(bytes) {
    if (!this.#newest) {
      setTimeout(() => {
        const { seq } = JSON.parse(this.#newest);
        this.#newest = undefined;
        this.#acks++;
        this.#say("ack", { seq });
      }, 1);
    }
    this.#newest = bytes;
  }

  #say(type, data) {
    this.#connection.send(JSON.stringify({ type, data }));
  }
}

const TYPE_AT = '{"type":"'.length;
const MESSAGE = "m".charCodeAt(0);
