import { randomUUID } from "node:crypto";
import { env } from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultProxy } from "../../e2e/harness/faultProxy";
import { CLIENTS, type ClientOptions } from "../lab/clients";
import { type Figures, record } from "./figures";
import { openPlace, type Place, type PlaceName, type RemoteLab } from "./places";
import { Redis } from "./redis";
import { type ServerKind, type ServerOptions, SocketIoServer } from "./server";

/** What a scenario has: a client that nobody else uses, a server, and the proxy between them. */
export interface Arena {
  readonly server: SocketIoServer;
  readonly proxy: FaultProxy;
  readonly lab: RemoteLab;
  /** Whether the client is Everwire's, whose promises are checked. */
  readonly isOurs: boolean;
  /** Someone whom no other scenario knows. */
  readonly user: string;
  /** Makes the client connect through the proxy. */
  start(options?: ClientOptions & { readonly token?: string }, path?: string): Promise<void>;
  /** Another client of the same program, for another namespace of the server. */
  beside(namespace: string, options: ClientOptions): Promise<RemoteLab>;
  /** Starts another server of the cluster. */
  anotherNode(): Promise<SocketIoServer>;
  isConnected(wanted?: boolean): Promise<void>;
  /** What the client has told under a name. */
  told(what: string): Promise<readonly { readonly at: number; readonly why: string; readonly data: unknown }[]>;
  /** Waits until a number does not grow any more, as what is lost never comes. */
  settled(count: () => Promise<number>, enough: number): Promise<void>;
}

export type Scenario = (arena: Arena) => Promise<Figures>;

interface Where {
  readonly server: ServerKind;
  readonly place: PlaceName;
}

/** Plays scenarios with each client, in each place that is named. */
export function scenarios(
  where: readonly Where[],
  options: ServerOptions,
  plays: Readonly<Record<string, Scenario>>,
): void {
  for (const { server: kind, place: placeName } of where) {
    describe(`${kind}, clients in ${placeName}`, () => {
      let server: SocketIoServer | undefined;
      let place: Place | undefined;

      let redis: Redis | undefined;
      const startServer = () => SocketIoServer.start(kind, { ...options, ...(redis && { redis: redis.url }) });

      beforeAll(async () => {
        if (kind === "socket.io cluster") redis = await Redis.start();
        [server, place] = await Promise.all([startServer(), openPlace(placeName)]);
      });

      afterAll(async () => {
        await place?.close();
        await server?.kill();
        await redis?.stop();
      });

      for (const [scenario, play] of Object.entries(plays)) {
        it.each(Object.keys(CLIENTS).filter((client) => !ONLY || client === ONLY))(
          `${scenario}: %s`,
          async (client) => {
            if (!server || !place) throw new Error("a server and a place come first");
            const proxy = await FaultProxy.start(server.origin);
            const nodes: SocketIoServer[] = [];
            const anotherNode = async () => {
              const node = await startServer();
              nodes.push(node);
              return node;
            };
            try {
              const figures = await play({ ...(await makeArena(server, place, proxy, client)), anotherNode });
              record({ scenario, client, server: kind, place: placeName, ...figures });
            } finally {
              for (const node of nodes) await node.kill();
              await place.clear();
              proxy.stop();
            }
          },
        );
      }
    });
  }
}

async function makeArena(
  server: SocketIoServer,
  place: Place,
  proxy: FaultProxy,
  client: string,
): Promise<Omit<Arena, "anotherNode">> {
  const lab = await place.newLab();
  const user = `user-${randomUUID()}`;
  return {
    server,
    proxy,
    lab,
    isOurs: client !== "socket.io-client",
    user,
    start: (options = {}, path = "") =>
      lab.call("start", client, `${proxy.origin}${path}`, user, { ...EAGER, ...options }),
    beside: async (namespace, options) => {
      const sibling = await lab.sibling();
      await sibling.call("start", client, `${proxy.origin}${namespace}`, user, { ...EAGER, ...options });
      return sibling;
    },
    isConnected: async (wanted = true) => {
      await expect.poll(async () => (await lab.call("state")).connected).toBe(wanted);
    },
    told: async (what) => (await lab.call("look")).told.filter((told) => told.what === what),
    settled: async (count, enough) => {
      let [before, since] = [-1, Date.now()];
      const isSettled = async () => {
        const now = await count();
        if (now !== before) [before, since] = [now, Date.now()];
        return now >= enough || Date.now() - since > QUIET_MS;
      };
      await expect.poll(isSettled, { timeout: 50_000 }).toBe(true);
    },
  };
}

/** How long nothing has to change before what is missing counts as lost. Longer than a wait between two attempts, and than the pings of the scenarios. */
const QUIET_MS = 2_000;

/** The one client that is played, where not both are. */
const ONLY = env["EVERWIRE_ONLY_CLIENT"];

/** Comes back quickly, so that scenarios are short. */
const EAGER: ClientOptions = { reconnectionDelay: 100, reconnectionDelayMax: 300, timeout: 2_000 };
