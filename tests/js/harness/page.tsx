import { act, cleanup } from "@testing-library/react";
import type { NativeSocketClient } from "everwire";
import { WebSocketProvider } from "everwire/react";
import type { ReactNode } from "react";
import { afterEach, vi } from "vitest";
import { useStandIns } from "./clients";
import { StandInSocket } from "./standInSocket";

export const FRAME_MS = 16;

/** Every test of the file gets virtual time and stand-ins for sockets; what it rendered is taken down afterwards. */
export function usePage(): void {
  useStandIns();
  afterEach(() => {
    cleanup();
    settle();
  });
}

/** Lets happen what was put off to the next turn of the event loop. */
export const settle = () => act(() => vi.advanceTimersByTime(1));

export const nextFrame = () => act(() => vi.advanceTimersByTime(FRAME_MS));

export const opens = (socket = StandInSocket.newest) => act(() => socket.opens());

/** The server sends an event on the newest connection. */
export const says = (type: string, data: object) => act(() => StandInSocket.newest.says(type, data));

/** The wrapper that gives a client to what is rendered. */
export function below(client: NativeSocketClient) {
  return ({ children }: { children: ReactNode }) => <WebSocketProvider client={client}>{children}</WebSocketProvider>;
}
