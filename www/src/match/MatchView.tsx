import { present } from "../people";
import { personOptions, WebSocketProvider } from "./hooks";
import { MatchPane } from "./MatchPane";

/** A pane for each person, with a connection of its own. */
export function MatchView() {
  return present.map((person) => (
    <WebSocketProvider key={person.key} options={personOptions(person.userId)}>
      <MatchPane person={person} />
    </WebSocketProvider>
  ));
}
