import { devices } from "../people";
import { DevicePane } from "./DevicePane";
import { deviceOptions, WebSocketProvider } from "./hooks";

/** A pane for each device of the learner, with a connection of its own. */
export function LessonView() {
  return devices.map((device) => (
    <WebSocketProvider key={device} options={deviceOptions()}>
      <DevicePane device={device} />
    </WebSocketProvider>
  ));
}
