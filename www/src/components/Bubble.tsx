import { formatTime } from "../formatTime";
import type { ChatMessage, Delivery } from "../messages";

interface Props {
  readonly message: ChatMessage;
  readonly peer: string;
}

export function Bubble({ message, peer }: Props) {
  const { author, content, at, delivery } = message;
  return (
    <li className="bubble" data-author={author} data-delivery={delivery?.kind} data-testid="message">
      <span className="visually-hidden">{author === "me" ? "You" : peer}: </span>
      <span className="bubble-content" data-testid="message-content">
        {content}
      </span>
      <span className="bubble-meta">
        <time>{formatTime(at)}</time>
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
