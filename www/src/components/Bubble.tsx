import type { ReactNode } from "react";
import { formatTime } from "../formatTime";
import type { Delivery, ShownMessage } from "../messages";

interface Props {
  readonly message: ShownMessage;
  readonly peer: string;
  /** Whether there is more of it to come. */
  readonly busy?: boolean;
  /** What is said of it beside the time. */
  readonly children?: ReactNode;
}

export function Bubble({ message, peer, busy = false, children }: Props) {
  const { author, content, at, delivery } = message;
  return (
    <li
      className="bubble"
      aria-busy={busy}
      data-author={author}
      data-delivery={delivery?.kind}
      data-message-id={message.id}
      data-testid="message"
    >
      <span className="visually-hidden">{author === "me" ? "You" : peer}: </span>
      <span className="bubble-content" data-testid="message-content">
        {content}
      </span>
      <span className="bubble-meta">
        <time>{formatTime(at)}</time>
        {children}
        {delivery && <DeliveryStatus delivery={delivery} />}
      </span>
    </li>
  );
}

/** The steps are for eyes; read aloud is only the end that nobody hopes for. */
function DeliveryStatus({ delivery }: { readonly delivery: Delivery }) {
  if (delivery.kind === "failed") {
    return (
      <span data-testid="message-delivery" aria-live="polite">
        Not sent: {delivery.reason}
      </span>
    );
  }
  const reached = STEPS.indexOf(delivery.kind);
  return (
    <span className="delivery" aria-live="off">
      <span data-testid="message-delivery">{WORDS[delivery.kind]}</span>
      <span className="delivery-steps" aria-hidden="true">
        {STEPS.slice(1).map((step, index) => (
          <i key={step} data-reached={index < reached} />
        ))}
      </span>
    </span>
  );
}

const STEPS = ["queued", "sent", "acknowledged", "delivered", "read"] as const;

const WORDS: Readonly<Record<(typeof STEPS)[number], string>> = {
  queued: "Queued",
  sent: "Sent",
  acknowledged: "Acknowledged",
  delivered: "Delivered",
  read: "Read",
};
