/**
 * The part of a client that this entry uses: any `NativeSocketClient` fits, and so does `{ on: subscribe, send: emit }` of the hook. A handler may name
 * the payload that it expects.
 */
export interface EventClient {
  /** Calls the handler with the payload of each such event; returns a function that ends the subscription. */
  on(event: string, handler: { handle(data: unknown): void }["handle"]): () => void;
  /** Sends an event, or queues it. */
  send(event: string, data?: object): unknown;
}
