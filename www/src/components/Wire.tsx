import type { Snapshot } from "everwire";
import { useState } from "react";
import type { ShownMessage } from "../messages";

interface Props {
  readonly phase: Snapshot["phase"];
  readonly retryAt: number | null;
  readonly rtt: number | null;
  readonly lastMessage: ShownMessage | undefined;
}

/** The line between this page and the server, drawn: whole, broken, or filling up until the next attempt. */
export function Wire({ phase, retryAt, rtt, lastMessage }: Props) {
  return (
    <div className="wire" data-phase={phase} aria-hidden="true">
      <span className="wire-end">page</span>
      <span className="wire-line">
        {phase === "waiting" && retryAt !== null && <Fill key={retryAt} until={retryAt} />}
        {phase === "connecting" && <span className="wire-seek" />}
        {phase === "open" && (
          <>
            {rtt !== null && <span key={`ping ${rtt}`} className="wire-pulse wire-pulse-ping" />}
            {lastMessage && isUnderWay(lastMessage) && (
              <span
                key={lastMessage.id}
                className={`wire-pulse ${lastMessage.author === "me" ? "wire-pulse-out" : "wire-pulse-in"}`}
              />
            )}
          </>
        )}
        {isBroken(phase) && <span className="wire-gap" />}
      </span>
      <span className="wire-end">server</span>
    </div>
  );
}

function Fill({ until }: { until: number }) {
  const [duration] = useState(() => Math.max(0, until - Date.now()));
  return <span className="wire-fill" style={{ animationDuration: `${duration}ms` }} />;
}

/** A message of this side has left, or one of the peer has come. */
function isUnderWay({ delivery }: ShownMessage): boolean {
  return delivery?.kind !== "queued" && delivery?.kind !== "failed";
}

function isBroken(phase: Snapshot["phase"]): boolean {
  return ["idle", "offline", "logged_out", "given_up", "fatal"].includes(phase);
}
