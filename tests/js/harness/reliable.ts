import type { EverwireError, NativeSocketClient, Options, SendResult, SentMessage } from "everwire";
import { expect, vi } from "vitest";
import { makeClient } from "./clients";
import { StandInSocket } from "./standInSocket";

/** What the stand-in for a server of the reliable mode says to `hello`, unless a test says otherwise. */
export interface Welcome {
  readonly epoch?: number;
  readonly last?: number;
  readonly window?: number;
  readonly streams?: Record<string, number>;
  readonly remember_ms?: number;
}

/** A client of the reliable mode whose first connection has been welcomed. */
export function welcomedClient(options?: Options): { client: NativeSocketClient; socket: StandInSocket } {
  const client = reliableClient(options);
  client.connect();
  return { client, socket: welcome(StandInSocket.newest) };
}

export const reliableClient = (options?: Options): NativeSocketClient =>
  makeClient({ delivery: "reliable", reconnect: { jitter: 0 }, ...options });

/** Opens a socket and answers what the client says first; the frames that follow are `sentOn` it. */
export function welcome(socket: StandInSocket, answer?: Welcome): StandInSocket {
  socket.opens();
  greet(socket, answer);
  socket.says("pong", {});
  return socket;
}

export const greet = (socket: StandInSocket, answer: Welcome = {}): void =>
  socket.says("welcome", { version: 1, epoch: 1, last: 0, streams: {}, ...answer });

/** Ends a connection, waits for the next attempt, and welcomes it. */
export function comeBack(answer?: Welcome): StandInSocket {
  StandInSocket.newest.ends();
  vi.advanceTimersByTime(5_000);
  return welcome(StandInSocket.newest, answer);
}

/** What the application has sent on a socket: everything but greetings and pings. */
export const sentOn = (socket: StandInSocket): [type: string, seq: unknown, prev?: unknown][] =>
  socket.frames
    .filter(({ type }) => type !== "hello" && type !== "ping")
    .map((frame) => {
      const { type, seq, prev } = frame as typeof frame & { seq?: number; prev?: number };
      return prev === undefined ? [type, seq] : [type, seq, prev];
    });

export function accepted(result: SendResult): SentMessage {
  if (result.status === "refused") throw result.error;
  return result;
}

/** Every status of a message from now on, the present one included. */
export function statusesOf(message: SentMessage): string[] {
  const statuses: string[] = [message.status];
  message.subscribe(() => statuses.push(message.status));
  return statuses;
}

/** The code with which a promise rejects, or what it resolves with. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return (error as EverwireError).code;
  }
}

export function refusalOf(result: SendResult): EverwireError {
  expect(result.status).toBe("refused");
  if (result.status !== "refused") throw new Error(`the message was ${result.status}`);
  return result.error;
}
