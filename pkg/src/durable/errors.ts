import type { OutboxError, OutboxErrorCode } from "../outbox.js";

/** An error as the main entry's are, made without loading it. */
export function failure(code: OutboxErrorCode, message: string, cause?: unknown): OutboxError {
  return Object.assign(new Error(message, { cause }), { name: "OutboxError", code } as const);
}

/** What the browser said, as an error that says who can mend it. */
export function explain(cause: unknown, otherwise: OutboxErrorCode): OutboxError {
  const { name } = (cause ?? {}) as Partial<Error>;
  if (name === "OutboxError") return cause as OutboxError;
  if (name === "QuotaExceededError")
    return failure("storage_full", "the site's storage quota is used up: free some", cause);
  if (name === "VersionError") return failure(UNAVAILABLE, "a newer version wrote the outbox: reload the page", cause);
  return failure(otherwise, "the browser's storage cannot be used: see `cause`", cause);
}

export const UNAVAILABLE = "storage_unavailable";
export const FAILED = "storage_failed";
export const FULL = "storage_full";
