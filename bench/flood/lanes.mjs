// The two ends that are compared. Both have a handler for each type of event, and send the same messages.

import { NativeSocketClient } from "everwire";
import { TYPES } from "/events.mjs";
import { Router } from "/router.mjs";

const address = (name, isStored) => `ws://${location.host}/api/ws?lane=${name}&stored=${isStored}`;

const message = (number) => ({
  session_id: "session-3f2b8a540d3c",
  message: { id: `message-${number}`, content: "what is said in one breath" },
});

/** What an application would write by hand. It knows none of the rules, the reliable mode's included. */
export class RawLane {
  #router;

  constructor(name, isStored, handler) {
    this.name = name;
    this.#router = new Router(address(name, isStored));
    for (const type of TYPES) this.#router.on(type, handler);
  }

  opened() {
    return new Promise((resolve) => {
      this.#router.socket.onopen = resolve;
    });
  }

  async send(count) {
    for (let number = 0; number < count; number++) {
      const envelope = { type: "message_sent", data: message(number), timestamp: Date.now() };
      this.#router.socket.send(JSON.stringify(envelope));
    }
  }

  async settled() {}

  close() {
    this.#router.socket.close();
  }
}

export class EverwireLane {
  #client;
  #last;

  constructor(name, isStored, handler) {
    this.name = name;
    const delivery = isStored ? "reliable" : "at-most-once";
    this.#client = new NativeSocketClient({ url: address(name, isStored), path: "", delivery });
    for (const type of TYPES) this.#client.on(type, handler);
    for (const type of ["error", "drop", "gap", "reconnecting"]) {
      this.#client.on(type, (data) => reportError(new Error(`${name}: ${type} ${JSON.stringify(data)}`)));
    }
    this.#client.connect();
  }

  opened() {
    return new Promise((resolve) => {
      this.#client.on("open", resolve);
    });
  }

  async send(count) {
    for (let number = 0; number < count; number++) {
      if (!this.#client.getSnapshot().hasRoom) await this.#client.whenRoom();
      this.#last = this.#client.send("message_sent", message(number));
      if (this.#last.status === "refused") throw this.#last.error;
    }
  }

  /** Waits for the acknowledgements that the end of the measurement did not wait for. */
  async settled() {
    await this.#last?.done();
  }

  close() {
    this.#client.dispose();
  }
}
