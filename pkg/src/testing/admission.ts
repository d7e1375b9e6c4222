import { type ConnectionKeeper, ServerConnection } from "./connection.js";
import { type AuthenticationOptions, tokenInFirst, tokenOf, userOf } from "./greeting.js";
import type { Network } from "./network.js";
import type { Remote, RemoteListener } from "./socket.js";

/** What there is around the admission. */
export interface Entrance {
  readonly options: AuthenticationOptions;
  readonly network: Network;
  isClosed(): boolean;
  /** A connection is open, which may be its user's first. */
  opened(connection: ServerConnection, isFirst: boolean): void;
  /** A frame has come. */
  received(connection: ServerConnection, data: unknown): void;
  transmit(connection: ServerConnection, frame: object): void;
  /** A connection has ended, which may have been its user's last. */
  ended(connection: ServerConnection, isLast: boolean): void;
}

/** Lets clients in, and knows who is connected. */
export class Admission {
  /** Those that are open, oldest first. */
  readonly connections = new Set<ServerConnection>();
  /** How many connections there have been. */
  count = 0;
  readonly #around: Entrance;
  readonly #keeper: ConnectionKeeper;

  constructor(around: Entrance) {
    this.#around = around;
    this.#keeper = {
      transmit: (connection, frame) => around.transmit(connection, frame),
      ended: (connection) => this.#ended(connection),
    };
  }

  isOnline(user: string): boolean {
    return [...this.connections].some((connection) => connection.user === user);
  }

  /** Accepts an attempt, or refuses it. */
  admit(remote: Remote): RemoteListener | undefined {
    const { options, network } = this.#around;
    const refusal = network.refusals.shift();
    if (this.#around.isClosed()) {
      remote.accept("");
      remote.close(FOR_GOOD, ENDED);
      return undefined;
    }
    if (network.isOffline || network.outages > 0 || (refusal && "http" in refusal)) {
      remote.drop();
      return undefined;
    }
    const { tokenIn } = options;
    remote.accept((tokenIn === "subprotocol" ? remote.protocols.slice(0, -1) : remote.protocols)[0] ?? "");
    if (refusal) {
      remote.close(refusal.code, refusal.reason ?? "");
      return undefined;
    }
    if (tokenIn !== "first-message") return this.#greeted(remote, tokenOf(options, remote.url, remote.protocols));
    let listener: RemoteListener | undefined;
    return {
      received: (data) => {
        if (listener) return listener.received(data);
        const token = tokenInFirst(options, data);
        if (token === undefined) remote.close(1008, "say first who you are");
        else listener = this.#greeted(remote, token);
      },
      closed: (code) => listener?.closed(code),
    };
  }

  /** Closes every connection for good. */
  end(): void {
    for (const connection of [...this.connections]) {
      connection.remote.hold(false);
      connection.close(FOR_GOOD, ENDED);
    }
  }

  #greeted(remote: Remote, token: string | null): RemoteListener | undefined {
    const user = (this.#around.options.authenticate ?? userOf)(token, remote.url);
    if (user === null) {
      remote.close(1008, "token refused");
      return undefined;
    }
    const connection = new ServerConnection(this.#keeper, remote, ++this.count, user, token);
    const isFirst = !this.isOnline(user);
    this.connections.add(connection);
    this.#around.opened(connection, isFirst);
    return {
      received: (data) => this.#around.received(connection, data),
      closed: () => connection.end(),
    };
  }

  #ended(connection: ServerConnection): void {
    this.connections.delete(connection);
    if (!this.#around.isClosed()) this.#around.ended(connection, !this.isOnline(connection.user));
  }
}

/** A close code at which clients stop. */
const FOR_GOOD = 1002;
const ENDED = "the test server was closed";
