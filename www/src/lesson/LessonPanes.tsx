import { WebSocketProvider } from "everwire/react";
import { deviceOptions } from "../connection";
import { learner } from "../people";
import { DevicePane } from "./DevicePane";

/** A pane for each device of the learner, with a connection of its own. */
export function LessonPanes() {
  return DEVICES.map((device) => (
    <WebSocketProvider key={device} options={deviceOptions(learner.userId)}>
      <DevicePane device={device} />
    </WebSocketProvider>
  ));
}

const DEVICES = ["Phone", "Laptop"];
