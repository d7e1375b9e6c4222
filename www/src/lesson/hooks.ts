import type { MasterXClientEvents, MasterXServerEvents, Options } from "everwire";
import { createWebSocketHooks } from "everwire/react";
import { chat } from "everwire/session";
import { baseOptions } from "../baseOptions";
import { connectionToken } from "../devServer";
import { learner } from "../people";

/** The hooks of this view, which know its events. */
export const { WebSocketProvider, useEvent, useSession } = createWebSocketHooks<
  MasterXServerEvents,
  MasterXClientEvents
>();

/** Of one of the learner's devices: what is written waits in the page. */
export function deviceOptions({ userId } = learner): Options {
  return { ...baseOptions, token: () => connectionToken(userId), chat: chat({ userId }) };
}
