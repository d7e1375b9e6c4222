import { useEffect, useSyncExternalStore } from "react";
import { type ShownToast, toasts } from "../instruments/toasts";

/** What the user should know wherever they look: read aloud when it comes, and there until it is dismissed or no longer true. */
export function Toasts() {
  const shown = useSyncExternalStore(toasts.subscribe, toasts.getSnapshot);
  return (
    <section className="toasts" aria-label="Notifications" aria-live="polite" data-testid="toasts">
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function ToastCard({ toast: { id, owner, type, title, message, retry } }: { readonly toast: ShownToast }) {
  const passes = retry === undefined && (type === "info" || type === "success");
  useEffect(() => {
    if (!passes) return;
    const timer = setTimeout(() => toasts.dismiss(id), PASSES_AFTER_MS);
    return () => clearTimeout(timer);
  }, [id, passes]);

  return (
    <div
      className="toast"
      role="group"
      aria-label={`About ${owner}`}
      data-type={type}
      data-testid="toast"
      onKeyDown={({ key }) => key === "Escape" && toasts.dismiss(id)}
    >
      <p>
        <b>{owner}</b> · {title && <span>{title}: </span>}
        {message}
      </p>
      {retry && (
        <button type="button" className="button button-strong" data-testid="toast-retry" onClick={retry}>
          Reconnect
        </button>
      )}
      <button
        type="button"
        className="button button-quiet"
        data-testid="toast-dismiss"
        onClick={() => toasts.dismiss(id)}
      >
        Dismiss
      </button>
    </div>
  );
}

const PASSES_AFTER_MS = 8_000;
