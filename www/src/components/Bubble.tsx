import { formatTime } from "../formatTime";
import type { ChatMessage, Delivery } from "../messages";

interface Props {
  readonly message: ChatMessage;
  readonly peer: string;
}

export function Bubble({ message, peer }: Props) {
  const { author, content, at, delivery } = message;
  return (
    <li className="bubble" data-author={author} data-delivery={delivery.kind} data-testid="message">
      <span className="visually-hidden">{author === "me" ? "You" : peer}: </span>
      <span className="bubble-content" data-testid="message-content">
        {content}
      </span>
      <span className="bubble-meta">
        <time>{formatTime(at)}</time>
        {author === "me" && <span data-testid="message-delivery">{deliveryWords(delivery)}</span>}
      </span>
    </li>
  );
}

function deliveryWords(delivery: Delivery): string {
  return delivery.kind === "failed" ? `Not sent: ${delivery.reason}` : WORDS[delivery.kind];
}

const WORDS: Readonly<Record<Exclude<Delivery["kind"], "failed">, string>> = {
  queued: "Queued",
  sent: "Sent",
  acknowledged: "Acknowledged",
  delivered: "Delivered",
  read: "Read",
  expired: "Expired",
  cancelled: "Taken back",
};
