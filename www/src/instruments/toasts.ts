import type { Toast } from "everwire/session";

export interface ShownToast extends Toast {
  readonly id: number;
  /** Whose connection it is about. */
  readonly owner: string;
}

/** The toasts of the page, the oldest first: a store for the component that shows them. */
class Toasts {
  readonly #listeners = new Set<() => void>();
  #shown: readonly ShownToast[] = [];
  #lastId = 0;

  show(owner: string, toast: Toast): void {
    // A connection has given up or has not; twice it need not be said.
    const others = toast.retry ? this.#shown.filter((shown) => !isAboutConnection(shown, owner)) : this.#shown;
    this.#lastId += 1;
    this.#change([...others, { ...toast, id: this.#lastId, owner }].slice(-MOST));
  }

  dismiss(id: number): void {
    this.#change(this.#shown.filter((shown) => shown.id !== id));
  }

  connected(owner: string): void {
    this.#change(this.#shown.filter((shown) => !isAboutConnection(shown, owner)));
  }

  readonly getSnapshot = (): readonly ShownToast[] => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #change(shown: readonly ShownToast[]): void {
    this.#shown = shown;
    for (const listener of this.#listeners) listener();
  }
}

export const toasts = new Toasts();

function isAboutConnection(shown: ShownToast, owner: string): boolean {
  return shown.retry !== undefined && shown.owner === owner;
}

const MOST = 4;
