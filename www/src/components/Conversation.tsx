import type { ChatSnapshot } from "everwire";
import { Children, type ReactNode, useRef } from "react";
import { ActionButton } from "./ActionButton";

interface Props {
  readonly label: string;
  /** What to read while there are no messages. */
  readonly empty: string;
  /** Whether something is wrong with it. */
  readonly state: Pick<ChatSnapshot, "error" | "isComplete">;
  /** Fetches what was before; missing when nothing was. */
  readonly onEarlier?: (() => Promise<void>) | undefined;
  /** The messages. */
  readonly children: ReactNode;
}

/** The messages, oldest first, at rest at the newest. */
export function Conversation({ label, empty, state, onEarlier, children }: Props) {
  const scroll = useRef<HTMLDivElement>(null);

  const showEarlier = async () => {
    const hadFocus = document.activeElement?.closest(".chat-earlier");
    await onEarlier?.();
    // The button goes with the last page, and the keyboard must not lose its place.
    if (hadFocus) requestAnimationFrame(() => hadFocus.isConnected || scroll.current?.focus({ preventScroll: true }));
  };

  return (
    <>
      <p className="chat-problem" role="alert">
        {state.error?.message ?? (state.isComplete ? "" : "Something that came meanwhile is not there.")}
      </p>
      <div
        ref={scroll}
        className="chat-scroll"
        role="log"
        aria-label={label}
        // Scrollable without a mouse.
        tabIndex={0}
      >
        {Children.count(children) === 0 && <p className="chat-empty">{empty}</p>}
        <ol>{children}</ol>
        {onEarlier && (
          <div className="chat-earlier">
            <ActionButton
              testId="earlier"
              action={showEarlier}
              hint="Fetches the messages before these from the server"
            >
              Earlier messages
            </ActionButton>
          </div>
        )}
      </div>
    </>
  );
}
