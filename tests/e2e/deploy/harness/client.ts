import { NativeSocketClient, type Options } from "everwire";
import WebSocket from "ws";

/** A client in Node that trusts one certificate. */
export function client(certificate: string | undefined, options: Options): NativeSocketClient {
  class TrustingWebSocket extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols ?? [], certificate === undefined ? {} : { ca: certificate });
    }
  }
  return new NativeSocketClient({ ...options, WebSocket: TrustingWebSocket });
}
