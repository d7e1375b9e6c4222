// The clients that docs/migrate.md compares, as types whose members have to be named there.

import type PartySocket from "partysocket";
import type { PartySocketOptions } from "partysocket";
import type { usePartySocket } from "partysocket/react";
import type useWebSocket from "react-use-websocket";
import type { Options as HookOptions } from "react-use-websocket";
import type ReconnectingWebSocket from "reconnecting-websocket";
import type { Options as ReconnectingOptions } from "reconnecting-websocket";
import type { Manager, ManagerOptions, Socket, SocketOptions } from "socket.io-client";

export type Clients = {
  "socket.io-client": [ManagerOptions, SocketOptions, Socket, Pick<Manager, "open">];
  "reconnecting-websocket": [ReconnectingOptions, ReconnectingWebSocket];
  partysocket: [PartySocketOptions, PartySocket, Parameters<typeof usePartySocket>[0]];
  "react-use-websocket": [HookOptions, ReturnType<typeof useWebSocket>];
};
