import { useWebSocket } from "everwire/react";
import { showToasts } from "everwire/session";
import { useEffect } from "react";
import { toasts } from "./toasts";

/** Shows what the server notifies of, and that the connection is given up, until it is back. */
export function useToasts(owner: string): void {
  const { client, subscribe } = useWebSocket();
  useEffect(() => {
    const ends = [
      showToasts(client, (toast) => toasts.show(owner, toast)),
      subscribe("open", () => toasts.connected(owner)),
    ];
    return () => {
      for (const end of ends) end();
      toasts.connected(owner);
    };
  }, [client, subscribe, owner]);
}
