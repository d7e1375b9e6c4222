/** A WebSocket that can be made slow from outside, in both directions; the order stays. */
export class SlowSocket extends WebSocket {
  readonly #out = new Delay();
  readonly #in = new Delay();

  override send(data: string): void {
    this.#out.later(() => super.send(data));
  }

  override set onmessage(handler: ((event: MessageEvent) => void) | null) {
    super.onmessage =
      handler &&
      ((event) =>
        this.#in.later(() => {
          if (super.onmessage && this.readyState === WebSocket.OPEN) handler(event);
        }));
  }
}

/** Holds what passes, and lets it out in order. */
class Delay {
  #last = 0;

  later(pass: () => void): void {
    const now = performance.now();
    const due = Math.max(now + delayMs, this.#last);
    if (due <= now) {
      pass();
      return;
    }
    this.#last = due;
    setTimeout(pass, due - now);
  }
}

let delayMs = 0;

export async function setSlow(isSlow: boolean): Promise<void> {
  delayMs = isSlow ? SLOW_MS : 0;
}

const SLOW_MS = 600;
