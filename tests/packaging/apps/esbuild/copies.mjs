import { configureWebSocket } from "everwire";
import required from "./required.cjs";

console.log(required.configureWebSocket === configureWebSocket);
