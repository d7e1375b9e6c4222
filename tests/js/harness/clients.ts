import { NativeSocketClient, type Options } from "everwire";
import { afterEach, beforeEach, vi } from "vitest";
import { StandInSocket } from "./standInSocket";

const clients: NativeSocketClient[] = [];

/** Every test of the file gets virtual time and stand-ins for sockets; what it connected is disconnected afterwards. */
export function useStandIns(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    StandInSocket.made = [];
    vi.stubGlobal("WebSocket", StandInSocket);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
}

export function makeClient(options?: Options): NativeSocketClient {
  const client = new NativeSocketClient({ url: "http://server.test", ...options });
  clients.push(client);
  return client;
}

/** A client with an open connection. */
export function openClient(options?: Options): { client: NativeSocketClient; socket: StandInSocket } {
  const client = makeClient(options);
  client.connect();
  const socket = StandInSocket.newest;
  socket.opens();
  return { client, socket };
}

/** Keeps what a handler is called with. */
export function recorder<Data = unknown>(): { handler: (data: Data) => void; heard: Data[] } {
  const heard: Data[] = [];
  return { handler: (data) => heard.push(data), heard };
}
