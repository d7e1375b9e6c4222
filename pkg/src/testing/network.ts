import type { Frame } from "./envelope.js";

/** Which frames are lost: those that fit all that is named. */
export interface FrameFilter {
  /** Who sends the frame. Default `"server"`. */
  readonly from?: "server" | "client" | undefined;
  /** The event's type. Default: any. */
  readonly type?: string | undefined;
  /** How many such frames are lost. Default 1. */
  readonly times?: number | undefined;
}

/** How an attempt to connect is refused: by a close code after the handshake, which a browser can read, or by an HTTP status instead of it, which it shows as 1006. */
export type ConnectionRefusal =
  | {
      /** The close code after the handshake, such as 1008 for a bad token. */
      readonly code: number;
      /** The close reason. */
      readonly reason?: string;
    }
  | {
      /** The HTTP status instead of a handshake, which a browser shows as close code 1006. */
      readonly http: number;
    };

/** What goes wrong between clients and server. */
export class Network {
  isOffline = false;
  /** How many restarts are under way. */
  outages = 0;
  isSilent = false;
  latency: () => number = () => 0;
  refusals: ConnectionRefusal[] = [];
  refusedMessages: { readonly type: string | undefined; readonly code: string; readonly message: string }[] = [];
  #losses: { readonly from: "server" | "client"; readonly type: string | undefined; times: number }[] = [];

  lose({ from = "server", type, times = 1 }: FrameFilter): void {
    this.#losses.push({ from, type, times });
  }

  /** Whether this frame is lost; if so, the fault is used up by one. */
  loses(from: "server" | "client", type: string | undefined): boolean {
    const loss = this.#losses.find((one) => one.from === from && (one.type === undefined || one.type === type));
    if (loss === undefined) return false;
    loss.times--;
    this.#losses = this.#losses.filter(({ times }) => times > 0);
    return true;
  }

  /** How this message is refused, if it is; if so, the fault is used up by one. */
  refuses({ type }: Frame): { readonly code: string; readonly message: string } | undefined {
    const at = this.refusedMessages.findIndex((one) => one.type === undefined || one.type === type);
    return at < 0 ? undefined : this.refusedMessages.splice(at, 1)[0];
  }
}
