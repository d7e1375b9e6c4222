import type { ChatMessage, ChatStatus } from "everwire";
import type { ReactNode } from "react";
import { formatTime } from "../formatTime";

interface Props {
  readonly message: Pick<ChatMessage, "id" | "content" | "at" | "isOwn" | "status" | "error">;
  /** Who has written what is not one's own. */
  readonly peer: string;
  /** Whether there is more of it to come. */
  readonly busy?: boolean;
  /** What is said of it beside the time. */
  readonly children?: ReactNode;
  /** Sends it again, after it failed. */
  readonly onRetry: () => void;
  /** Takes it out, after it failed. */
  readonly onDiscard: () => void;
}

export function Bubble({ message, peer, busy = false, children, onRetry, onDiscard }: Props) {
  const { id, content, at, isOwn, status, error } = message;
  return (
    <li
      className="bubble"
      aria-busy={busy}
      data-author={isOwn ? "me" : "peer"}
      data-status={status}
      data-message-id={id}
      data-testid="message"
    >
      <span className="visually-hidden">{isOwn ? "You" : peer}: </span>
      <span className="bubble-content" data-testid="message-content">
        {content}
      </span>
      <span className="bubble-meta">
        <time>{formatTime(at)}</time>
        {children}
        {status === "failed" ? (
          <>
            <span data-testid="message-delivery" aria-live="polite">
              Not sent: {whyNot(error)}
            </span>
            <button type="button" className="button button-quiet" data-testid="retry" onClick={onRetry}>
              Try again
            </button>
            <button type="button" className="button button-quiet" data-testid="discard" onClick={onDiscard}>
              Discard
            </button>
          </>
        ) : (
          status && <Progress status={status} />
        )}
      </span>
    </li>
  );
}

/** The steps are for eyes; read aloud is only the end that nobody hopes for. */
function Progress({ status }: { readonly status: (typeof STEPS)[number] }) {
  const reached = STEPS.indexOf(status);
  return (
    <span className="delivery" aria-live="off">
      <span data-testid="message-delivery">{status[0]?.toUpperCase() + status.slice(1)}</span>
      <span className="delivery-steps" aria-hidden="true">
        {STEPS.slice(1).map((step, index) => (
          <i key={step} data-reached={index < reached} />
        ))}
      </span>
    </span>
  );
}

/** The server's own words if it was the server who refused. */
function whyNot(error: ChatMessage["error"]): string {
  return (error?.cause as { readonly message?: string } | undefined)?.message ?? error?.message ?? "unknown";
}

const STEPS = ["sending", "sent", "delivered", "read"] as const satisfies readonly ChatStatus[];
