/**
 * The part of a client that this entry uses: any `NativeSocketClient` fits, and so does `{ on: subscribe, send: emit }` of the hook. A handler may name
 * the payload that it expects.
 */
export interface EventClient {
  on(event: string, handler: { handle(data: unknown): void }["handle"]): () => void;
  send(event: string, data?: object): unknown;
}
