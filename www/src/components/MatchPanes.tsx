import { WebSocketProvider } from "everwire/react";
import { personOptions } from "../connection";
import { present } from "../people";
import { Pane } from "./Pane";

/** A pane for each person, with a connection of its own. */
export function MatchPanes() {
  return present.map((person) => (
    <WebSocketProvider key={person.key} options={personOptions(person.userId)}>
      <Pane person={person} />
    </WebSocketProvider>
  ));
}
