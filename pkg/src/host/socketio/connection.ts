import { Carrier } from "../../../wasm-socketio/everwire.js";
import type { WebSocketClass } from "../../webSocket.js";
import { Socket, type SocketListener } from "../socket.js";
import type { Attachment } from "./arguments.js";
import type { FlawName } from "./codes.js";
import type { CarrierHost } from "./contract.js";
import type { Host } from "./host.js";

/** One WebSocket, which carries the clients of one or more namespaces. */
export class Connection implements CarrierHost, SocketListener {
  readonly url: string;
  /** Whether nobody may come to it any more. */
  #isOver = false;
  readonly #carrier = new Carrier();
  readonly #socket = new Socket(this);
  readonly #members = new Map<string, Host>();
  /** Where clients have left while others stayed: what still comes for them is not for a client that is there anew. */
  readonly #left = new Set<string>();
  readonly #flawed: (flaw: FlawName) => void;
  /** How large frames may be, once it is open. */
  #maxPayloadBytes: number | undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, flawed: (flaw: FlawName) => void) {
    this.url = url;
    this.#flawed = flawed;
  }

  /** Whether a client of this namespace may come to it. */
  accepts(namespace: string): boolean {
    return !this.#isOver && !this.#left.has(namespace) && !this.#members.has(namespace);
  }

  /** Says whether the browser takes the URL. */
  connect(Class: WebSocketClass): boolean {
    class Binary extends Class {
      declare binaryType: BinaryType;

      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        this.binaryType = "arraybuffer";
      }
    }
    this.#isOver = !this.#socket.open(Binary, this.url, []);
    return !this.#isOver;
  }

  join(member: Host): void {
    this.#members.set(member.namespace, member);
    if (this.#maxPayloadBytes !== undefined) member.core?.open(member, this.#maxPayloadBytes);
  }

  /** Ends a client's part of it. Says whether the WebSocket will tell of its end, because nobody else is on it. */
  close(member: Host): boolean {
    if (this.#members.size > 1) {
      this.#remove(member);
      return false;
    }
    this.#isOver = true;
    this.#socket.close();
    return true;
  }

  /** The server has not let the client in, so nothing of it is under way. */
  refuse(member: Host): void {
    this.#members.delete(member.namespace);
  }

  /** Ends a client's part of it, without listening any more. */
  abandon(member: Host): void {
    this.#remove(member);
    if (!this.#members.size) this.#abandon();
  }

  send(frame: string | Attachment): number | undefined {
    return this.#socket.send(frame);
  }

  get buffered(): number {
    return this.#socket.buffered;
  }

  probe(): void {
    this.#carrier.probe(this);
  }

  setAlarm(delayMs: number | undefined): void {
    clearTimeout(this.#alarm);
    if (delayMs !== undefined) this.#alarm = setTimeout(() => this.#carrier.timeout(this), delayMs);
  }

  opened(maxPayloadBytes: number): void {
    this.#maxPayloadBytes = maxPayloadBytes;
    for (const member of [...this.#members.values()]) {
      if (this.#members.get(member.namespace) === member) member.core?.open(member, maxPayloadBytes);
    }
  }

  deliver(namespace = "/"): FlawName | undefined {
    const member = this.#members.get(namespace);
    return member
      ? (member.core?.packet(member, this.#carrier) as FlawName | undefined)
      : this.#left.has(namespace)
        ? "left_namespace"
        : "foreign_namespace";
  }

  ended(): void {
    this.#abandon();
    for (const member of this.#takeMembers()) member.core?.carrierEnded(member, this.#carrier);
  }

  flawed(flaw: FlawName): void {
    this.#flawed(flaw);
  }

  // The handshake of the server says more.
  socketOpened(): void {}

  frameArrived({ data }: MessageEvent): void {
    if (typeof data === "string") this.#carrier.text(this, data);
    else this.#carrier.binary(this, data);
  }

  socketClosed(code: number, reason: string, wasClean: boolean): void {
    this.#abandon();
    for (const member of this.#takeMembers()) member.socketClosed(code, reason, wasClean);
  }

  #abandon(): void {
    this.#isOver = true;
    clearTimeout(this.#alarm);
    this.#socket.abandon();
  }

  #remove(member: Host): void {
    if (this.#members.get(member.namespace) !== member) return;
    this.#members.delete(member.namespace);
    this.#left.add(member.namespace);
  }

  #takeMembers(): Host[] {
    const members = [...this.#members.values()];
    this.#members.clear();
    return members;
  }
}
