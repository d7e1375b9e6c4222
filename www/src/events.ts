import type { CoLabMatchClientEvents, CoLabMatchServerEvents, MasterXEvents } from "everwire";

/** What this page sends. */
export interface Sends extends Omit<CoLabMatchClientEvents, "send_message">, Pick<MasterXEvents, "ping"> {
  send_message: CoLabMatchClientEvents["send_message"] & {
    /** The sender's own id of the message. */
    client_id: string;
  };
}

/** A message as the server has stored it. */
export type StoredMessage = CoLabMatchServerEvents["new_message"] & { readonly clientId?: string };

/** What this page hears. */
export interface Events
  extends Omit<CoLabMatchServerEvents, "new_message">,
    Pick<MasterXEvents, "pong" | "emotion_update" | "notification"> {
  new_message: StoredMessage;
}
