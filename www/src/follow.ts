import type { EverwireError, SentMessage } from "everwire";
import type { Delivery } from "./messages";

/** Tells how far a message has come, now and later. */
export function follow(message: SentMessage, move: (news: Delivery) => void): void {
  const look = () => {
    const { status } = message;
    if (status in PROGRESS) move({ kind: status as keyof typeof PROGRESS });
  };
  message.subscribe(look);
  message.done().catch((error: EverwireError) => move({ kind: "failed", reason: whyNot(error) }));
  look();
}

/** The server's own words if it was the server who refused. */
function whyNot(error: EverwireError): string {
  const cause = error.cause as { readonly message?: string } | undefined;
  return cause?.message ?? error.message;
}

const PROGRESS = { queued: true, sent: true, acknowledged: true, delivered: true, read: true };
