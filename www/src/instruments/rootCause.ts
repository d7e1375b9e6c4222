/** The words to show for a failure: those of the application's own function where the library only says that it failed. */
export function rootCause(error: {
  readonly message: string;
  readonly code?: string | undefined;
  readonly cause?: unknown;
}): string {
  return error.code !== undefined && error.cause instanceof Error ? error.cause.message : error.message;
}
