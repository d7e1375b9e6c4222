import type { CoLabMatchClientEvents, CoLabMatchServerEvents, MasterXEvents } from "everwire";

/** What this page sends. */
export interface Sends extends CoLabMatchClientEvents, Pick<MasterXEvents, "ping"> {}

/** A message as the server has stored it. */
export type StoredMessage = CoLabMatchServerEvents["new_message"];

/** What this page hears. */
export interface Events
  extends CoLabMatchServerEvents,
    Pick<MasterXEvents, "pong" | "emotion_update" | "notification"> {}
