import type { Happening } from "../../wasm/everwire.js";

/** Only a plain `false` says that there is no network. */
export const isOffline = (): boolean => globalThis.navigator?.onLine === false;

/** Makes a switch that listens to the network and the page, or stops to. */
export function pageWatch(report: (event: Happening) => void): (isOn: boolean) => void {
  const page = globalThis.document as Document | undefined;
  const listeners: [EventTarget | undefined, string, (event: Event) => void][] = [
    [globalThis, "online", () => report("online")],
    [globalThis, "offline", () => report("offline")],
    [page, "visibilitychange", () => page?.visibilityState === "visible" && report("visible")],
    [page, "resume", () => report("visible")],
    [globalThis, "pageshow", (event) => (event as PageTransitionEvent).persisted && report("restored")],
  ];
  return (isOn) => {
    const change = isOn ? "addEventListener" : "removeEventListener";
    // Workers have no page, and some places no events.
    for (const [target, event, listener] of listeners) target?.[change]?.(event, listener);
  };
}
