/** A mistake of a test, or of the client under test, that the server has seen. The `cause` is what a handler threw. */
export class TestServerError extends Error {
  static {
    TestServerError.prototype.name = "TestServerError";
  }
}

/** What has gone wrong so far. */
export class Problems {
  #all: TestServerError[] = [];

  get all(): readonly TestServerError[] {
    return this.#all;
  }

  add(message: string, cause?: unknown): void {
    if (this.#all.length < MAX_PROBLEMS) {
      this.#all.push(new TestServerError(message, cause === undefined ? undefined : { cause }));
    }
  }

  take(): readonly TestServerError[] {
    const taken = this.#all;
    this.#all = [];
    return taken;
  }

  /** Throws what has gone wrong since the last time. */
  raise(): void {
    const [first, ...others] = this.take();
    if (first === undefined) return;
    if (others.length === 0) throw first;
    const all = [first, ...others];
    throw new AggregateError(all, all.map(({ message }) => message).join("\n"));
  }
}

/** The beginning of a text, for an error that a developer reads. */
export const shortened = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

const MAX_PROBLEMS = 100;
const MAX_SHOWN = 300;
