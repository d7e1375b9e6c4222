/** The router that one writes by hand: no reconnects, no heartbeat, nothing that can go wrong is handled. */
export class Router {
  #handlers = new Map();

  constructor(url) {
    this.socket = new WebSocket(url);
    this.socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      const handlers = this.#handlers.get(message.type);
      if (handlers) for (const handler of handlers) handler(message.data, message);
    };
  }

  on(type, handler) {
    let handlers = this.#handlers.get(type);
    if (!handlers) {
      handlers = new Set();
      this.#handlers.set(type, handlers);
    }
    handlers.add(handler);
  }
}
