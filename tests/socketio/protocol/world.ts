import { io, type ManagerOptions, type Socket, type SocketOptions } from "everwire/socket.io";
import { afterEach, beforeEach } from "vitest";
import { WireServer } from "./wireServer";

/** A scripted server, and clients of it that write down what they tell. */
export interface World {
  readonly server: WireServer;
  open(path?: string, options?: ManagerOptions & SocketOptions): Client;
}

export interface Client {
  readonly socket: Socket;
  /** What the client and its manager have told, in order. */
  readonly told: string[];
}

export function useWorld(): () => World {
  let world: (World & { readonly clients: Client[] }) | undefined;

  beforeEach(async () => {
    const server = await WireServer.start();
    const clients: Client[] = [];
    const open = (path = "", options: ManagerOptions & SocketOptions = {}) => {
      const client = watch(io(`${server.origin}${path}`, { forceNew: true, ...QUICK, ...options }));
      clients.push(client);
      return client;
    };
    world = { server, clients, open };
  });

  afterEach(() => {
    for (const { socket } of world?.clients ?? []) socket.disconnect();
    world?.server.stop();
    world = undefined;
  });

  return () => {
    if (!world) throw new Error("the world exists only while a test runs");
    return world;
  };
}

function watch(socket: Socket): Client {
  const told: string[] = [];
  socket.on("connect", () => told.push(`connect ${socket.id}`));
  socket.on("disconnect", (reason) => told.push(`disconnect ${reason}`));
  socket.on("connect_error", ({ message }) => told.push(`connect_error ${message}`));
  // Failed attempts are told here as well, and above.
  socket.io.on("error", (error) => "code" in error && told.push(`${error.code} ${error.message}`));
  socket.io.on("gap", ({ namespace }) => told.push(`gap ${namespace}`));
  socket.io.on("drop", ({ event, reason }) => told.push(`drop ${event} ${reason}`));
  return { socket, told };
}

const QUICK: ManagerOptions = { reconnectionDelay: 20, reconnectionDelayMax: 40 };
