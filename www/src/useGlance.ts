import { useEffect } from "react";

/** Calls `onRead` when what is unread has been on a visible page for a moment. Nothing is unread when `unread` is 0. */
export function useGlance(unread: number, onRead: () => void): void {
  useEffect(() => {
    if (unread === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") timer = setTimeout(onRead, GLANCE_MS);
    };
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      document.removeEventListener("visibilitychange", look);
      clearTimeout(timer);
    };
  }, [unread, onRead]);
}

const GLANCE_MS = 800;
