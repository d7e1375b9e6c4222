/** The place of `globalThis.WebSocket`, which another class can take for a while. */
export class GlobalWebSocket {
  #before: PropertyDescriptor | undefined;
  #isReplaced = false;

  replace(by: typeof WebSocket): void {
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
    Object.defineProperty(globalThis, "WebSocket", { value: by, configurable: true, writable: true });
  }

  /** Puts back what was there before. */
  restore(): void {
    if (!this.#isReplaced) return;
    this.#isReplaced = false;
    if (this.#before) Object.defineProperty(globalThis, "WebSocket", this.#before);
    else Reflect.deleteProperty(globalThis, "WebSocket");
  }
}
