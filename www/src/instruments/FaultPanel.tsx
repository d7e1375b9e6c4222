import { type ReactNode, useEffect, useState } from "react";
import { delivery, view, wire } from "../address";
import { ActionButton } from "../components/ActionButton";
import { Fault } from "../components/Fault";
import {
  dropConnections,
  failPushes,
  forgetHistory,
  pushEmotion,
  refuseHandshakes,
  refuseNextToken,
  stopAnswering,
} from "../devServer";
import { answerEveryone, goOffline, goOnline } from "../network";
import { learner, type User, userIds, users } from "../people";
import { setSlow } from "../slowSocket";
import { useNow } from "../useNow";

/** Everything that can go wrong, to try it out. */
export function FaultPanel() {
  useEffect(() => {
    // What a page before this one has left behind.
    if (wire === "envelope") answerEveryone().catch(() => {});
  }, []);

  return (
    <details className="faults" open={matchMedia("(min-width: 48rem)").matches} data-testid="faults">
      <summary>
        <h2>Break something</h2>
      </summary>
      <ul>
        <Fault name="Cut" does={wire === "envelope" ? CUT : "The server ends the connection."}>
          <ForEach id="drop-connection" action={(userId) => dropConnections(userId)} />
        </Fault>
        {wire === "envelope" && <Goodbyes />}
        <Fault
          name="Refuse the token"
          does="Closes, and the next connection brings a token that the server refuses once."
        >
          <ForEach id="refuse-token" action={refuseNextToken} />
        </Fault>
        {wire === "envelope" && (
          <Fault name="Restart server" does="Everybody is closed with code 1012, and refused for ten seconds.">
            <Restart />
          </Fault>
        )}
        <Fault name="Lose the network" does="The browser says that it is offline, and nothing comes through.">
          <Toggle id="toggle-network" off="Go offline" on="Back online" set={(on) => (on ? goOffline() : goOnline())} />
        </Fault>
        <Fault name="Slow link" does="Everything takes 0.6 s more, in both directions.">
          <Toggle id="slow-link" off="Slow down" on="Full speed" set={setSlow} />
        </Fault>
        {view === "match" && delivery === "reliable" && (
          <Fault
            name="Forget history"
            does="The server forgets what it keeps for somebody. Disconnect first, write on the other side: that is a gap."
          >
            <ForEach id="forget-history" action={forgetHistory} />
          </Fault>
        )}
        {view === "lesson" && (
          <Fault name="Fail pushes" does="Emotions do not reach the devices; the tutor answers all the same.">
            <Toggle
              id="fail-pushes"
              off="Fail pushes"
              on="Let pushes through"
              set={(fail) => failPushes(learner.userId, fail)}
            />
          </Fault>
        )}
        {view === "lesson" && (
          <Fault name="Push an emotion" does="The server sends one that no message has caused.">
            <ForEach id="push-emotion" action={pushEmotion} />
          </Fault>
        )}
      </ul>
    </details>
  );
}

const CUT = "The connection is gone without a goodbye, as when a cable is pulled: code 1006.";

/** How only the reference server ends a connection. */
function Goodbyes() {
  return (
    <>
      <Fault name="Close" does="The server says goodbye, going away: code 1001.">
        <ForEach id="close-connection" action={(userId) => dropConnections(userId, GOING_AWAY)} />
      </Fault>
      <Fault name="Silence" does="The socket stays, and the server says nothing on it. Only the heartbeat can notice.">
        <ForEach id="stop-answering" action={(userId) => stopAnswering(userId, "open sockets")} />
      </Fault>
    </>
  );
}

/** A button for each user whose connections this page has. */
function ForEach({ id, action }: { readonly id: string; readonly action: (userId: string) => Promise<void> }) {
  return users.map(
    ({ key, name, userId }: User): ReactNode => (
      <ActionButton key={key} testId={`${id}-${key}`} action={() => action(userId)}>
        {name}
      </ActionButton>
    ),
  );
}

interface ToggleProps {
  readonly id: string;
  /** What the button says while the fault is off. */
  readonly off: string;
  readonly on: string;
  readonly set: (isOn: boolean) => Promise<void>;
}

function Toggle({ id, off, on, set }: ToggleProps) {
  const [isOn, setOn] = useState(false);
  const toggle = async () => {
    await set(!isOn);
    setOn(!isOn);
  };
  return (
    <ActionButton testId={id} action={toggle} pressed={isOn}>
      {isOn ? on : off}
    </ActionButton>
  );
}

function Restart() {
  const [refusedUntil, setRefusedUntil] = useState(0);
  const now = useNow(refusedUntil > 0);
  const refusedFor = Math.ceil((refusedUntil - now) / 1000);

  const restart = async () => {
    await Promise.all(userIds.map((userId) => refuseHandshakes(userId, REFUSED_MS)));
    await Promise.all(userIds.map((userId) => dropConnections(userId, SERVICE_RESTART)));
    setRefusedUntil(Date.now() + REFUSED_MS);
    setTimeout(() => setRefusedUntil(0), REFUSED_MS);
  };

  return (
    <ActionButton testId="restart-refused" action={restart} disabled={refusedFor > 0}>
      {refusedFor > 0 ? `Refusing for ${refusedFor} s` : "Restart"}
    </ActionButton>
  );
}

const GOING_AWAY = 1001;
const SERVICE_RESTART = 1012;
const REFUSED_MS = 10_000;
