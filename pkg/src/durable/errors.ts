import type { OutboxError, OutboxErrorCode } from "../outbox.js";

/** An error as the main entry's are, made without loading it. */
export function failure(code: OutboxErrorCode, message: string, cause?: unknown): OutboxError {
  return Object.assign(new Error(message, { cause }), { name: "OutboxError", code } as const);
}

/** What the browser said, as an error that says who can mend it. */
export function explain(cause: unknown, otherwise: OutboxErrorCode): OutboxError {
  const name = (cause as Error | null | undefined)?.name;
  if (name === "OutboxError") return cause as OutboxError;
  if (name === "QuotaExceededError") {
    return failure(
      "storage_full",
      "this site's storage quota is used up: the user or the site has to free space",
      cause,
    );
  }
  if (name === "VersionError") {
    return failure("storage_unavailable", "a newer version of everwire has written the outbox: reload the page", cause);
  }
  const what =
    otherwise === "storage_failed" ? "the browser's storage failed" : "this page may not use the browser's storage";
  return failure(otherwise, `${what}: durable messages are kept in memory only`, cause);
}
