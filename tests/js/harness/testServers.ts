import { NativeSocketClient, type Options } from "everwire";
import { type Data, TestServer, type TestServerOptions } from "everwire/testing";
import { afterEach, beforeEach, expect, vi } from "vitest";

const ended: (() => void)[] = [];
const servers: TestServer[] = [];

/** Every test of the file gets virtual time; what it started is ended afterwards, the latest first. */
export function useTestServers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  });
  afterEach(() => {
    const endings = ended.splice(0).reverse();
    servers.length = 0;
    vi.useRealTimers();
    for (const end of endings) end();
  });
}

/** Calls this when the test has ended. */
export const endAfterwards = (end: () => void): number => ended.push(end);

export function startServer(options?: TestServerOptions): TestServer {
  const server = new TestServer(options);
  servers.push(server);
  endAfterwards(() => server.close());
  return server;
}

/** A client of the latest server, which connects. */
export function clientOf(user: string, options?: Options): NativeSocketClient {
  const client = new NativeSocketClient({
    url: "ws://test",
    token: user,
    WebSocket: servers.at(-1)?.WebSocket,
    reconnect: { jitter: 0, maxAttempts: Number.POSITIVE_INFINITY },
    ...options,
  });
  endAfterwards(() => client.dispose());
  client.connect();
  return client;
}

export const reliable: Options = { delivery: "reliable" };

/** What a client is given of one event. */
export function heardBy(client: NativeSocketClient, type: string): Data[] {
  const heard: Data[] = [];
  client.on(type, (data: Data) => heard.push(data));
  return heard;
}

export const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);

export const until = async (condition: () => boolean) => {
  for (let wait = 0; !condition() && wait < 1_000; wait++) await advance(100);
  expect(condition()).toBe(true);
};
