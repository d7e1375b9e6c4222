/** The message to show: what the application's own function said when it failed, else what the library says. */
export function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.name === "EverwireError" ? error.cause.message : error.message;
}
