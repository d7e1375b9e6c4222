import { type ReactNode, useEffect, useState } from "react";
import { dropConnections, refuseHandshakes } from "../devServer";
import { answerEveryone, goOffline, goOnline } from "../network";
import { userIds } from "../people";
import { useNow } from "../useNow";
import { ActionButton } from "./ActionButton";

/** The outages that hit every connection of the page at once; more of the kind may be put beside them. */
export function Outages({ children }: { readonly children?: ReactNode }) {
  const [offline, setOffline] = useState(false);
  const [refusedUntil, setRefusedUntil] = useState(0);
  const now = useNow(refusedUntil > 0);
  const refusedFor = Math.ceil((refusedUntil - now) / 1000);

  useEffect(() => {
    answerEveryone().catch(() => {});
  }, []);

  const restart = async () => {
    await Promise.all(userIds.map((userId) => refuseHandshakes(userId, REFUSED_MS)));
    await Promise.all(userIds.map((userId) => dropConnections(userId, SERVICE_RESTART)));
    setRefusedUntil(Date.now() + REFUSED_MS);
    setTimeout(() => setRefusedUntil(0), REFUSED_MS);
  };

  const toggleNetwork = async () => {
    await (offline ? goOnline() : goOffline());
    setOffline(!offline);
  };

  return (
    <div className="outages" role="group" aria-label="Outages for every connection of this page">
      <ActionButton
        testId="restart-refused"
        action={restart}
        disabled={refusedFor > 0}
        hint="Closes every connection of this page with code 1012 and refuses new ones for ten seconds"
      >
        {refusedFor > 0 ? `Refusing for ${refusedFor} s` : "Restart server, refused for 10 s"}
      </ActionButton>
      <ActionButton
        testId="toggle-network"
        action={toggleNetwork}
        pressed={offline}
        hint="The browser reports that the network is gone, and nothing comes through"
      >
        {offline ? "Back online" : "Go offline"}
      </ActionButton>
      {children}
    </div>
  );
}

const REFUSED_MS = 10_000;
const SERVICE_RESTART = 1012;
