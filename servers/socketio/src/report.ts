/** Says where something has failed, without its words, which may quote a payload. */
export function report(what: string, error: unknown): void {
  const [name, stack = ""] = error instanceof Error ? [error.name, error.stack] : [typeof error];
  console.error(`everwire: ${what} has failed: ${name}${/\n {4}at [^\n]*/.exec(stack)?.[0].slice(4) ?? ""}`);
}
