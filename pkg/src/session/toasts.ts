import type { CloseInfo, LifecycleEvents, MasterXServerEvents } from "everwire";
import type { EventClient } from "./eventClient.js";

/** What to tell the user. */
export interface Toast {
  /** How urgent it is. A level of the server's that is none of these is shown as `info`. */
  readonly type: "info" | "success" | "warning" | "error";
  /** The text; never empty. */
  readonly message: string;
  /** A headline, if there is one beside the text. */
  readonly title?: string;
  /** Where to read on, as the server says it. Check it before you follow it. */
  readonly link?: string;
  /** Tries again; there when the client has given up. Put it behind a button. */
  readonly retry?: () => void;
}

/** Shows one toast. */
export type ShowToast = (toast: Toast) => void;

/**
 * Where toasts are shown: a function, anything with a `showToast`, or a store whose state has one, as Zustand's and Redux's do. It is looked up for every
 * toast.
 */
export type ToastTarget =
  | ShowToast
  | {
      /** Shows one toast. */
      readonly showToast: ShowToast;
    }
  | {
      /** The state as it is now. */
      getState(): {
        /** Shows one toast. */
        readonly showToast: ShowToast;
      };
    };

/** What is shown besides notifications, and in which words. */
export interface ToastOptions {
  /** The text when the client has given up. Default: `Real-time connection lost.` */
  readonly giveUp?: string | undefined;
  /**
   * Makes the text when the client has stopped for good, of how the connection ended. Default: `The server
   * refuses the connection (1008).`, with the close code.
   */
  readonly fatal?: ((close: CloseInfo) => string) | undefined;
  /** Whether the server's own `error` events are shown too, such as a refused message. Default `false`. Errors that the client saw never are. */
  readonly errors?: boolean | undefined;
}

/** A client whose events can become toasts; every `NativeSocketClient` is one. */
export interface ToastClient extends Pick<EventClient, "on"> {
  /** Tries again, at once. */
  reconnect(): void;
}

/**
 * Shows a toast for each `notification` of the server that has a text or a title, and one when the client has given up or has stopped for good (the phase `fatal`), where trying
 * again is pointless. Returns a function that ends this. What is shown is the server's text as it is: show it as text, not as HTML.
 */
export function showToasts(client: ToastClient, target: ToastTarget, options: ToastOptions = {}): () => void {
  const {
    giveUp = "Real-time connection lost.",
    fatal = (close) => `The server refuses the connection (${close.code}).`,
    errors = false,
  } = options;
  const show = (toast: Toast): void => {
    // A bound store of Zustand is a function too, so its state comes first.
    if ("getState" in target) target.getState().showToast(toast);
    else if (typeof target === "function") target(toast);
    else target.showToast(toast);
  };
  const ends = [
    client.on("notification", (notification: MasterXServerEvents["notification"]) => {
      const toast = toastOf(notification);
      if (toast) show(toast);
    }),
    client.on("give_up", (_: LifecycleEvents["give_up"]) => {
      show({ type: "error", message: giveUp, retry: () => client.reconnect() });
    }),
    client.on("state", ({ phase, close }: LifecycleEvents["state"]) => {
      if (phase === "fatal" && close) show({ type: "error", message: fatal(close) });
    }),
    client.on("error", (error: LifecycleEvents["error"]) => {
      const message = textOf(error.message);
      if (errors && !(error instanceof Error) && message !== undefined) show({ type: "error", message });
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/**
 * The toast for a notification, `undefined` if there is nothing to read in it. A server that says `message` and `type` instead of `text` and `level` is
 * understood. Fields of other types are passed over, for what a server sends is not validated.
 */
export function toastOf(notification: Readonly<Record<string, unknown>>): Toast | undefined {
  const { title, text, message, level, type, link } = notification;
  const [headline, body] = [textOf(title), textOf(text) ?? textOf(message)];
  const words = body ?? headline;
  if (words === undefined) return undefined;
  const url = textOf(link);
  return {
    type: TYPES.find((known) => known === (level ?? type)) ?? "info",
    message: words,
    ...(body !== undefined && headline !== undefined && { title: headline }),
    ...(url !== undefined && { link: url }),
  };
}

const TYPES = ["info", "success", "warning", "error"] as const;

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
