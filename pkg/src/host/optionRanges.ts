// Generated from the Rust ranges by `cargo xtask codegen`.

/** A numeric option: its path, the lowest and the highest value, and whether Infinity and fractions fit. */
export type OptionRange = readonly [
  path: string,
  least: number,
  most: number,
  takesInfinity?: boolean,
  takesFractions?: boolean,
];

export const OPTION_RANGES: readonly OptionRange[] = [
  ["reconnect.initialDelayMs", 1, 2147483647],
  ["reconnect.maxDelayMs", 1, 2147483647],
  ["reconnect.factor", 1, 100, false, true],
  ["reconnect.jitter", 0, 1, false, true],
  ["reconnect.maxAttempts", 0, 4294967294, true],
  ["reconnect.stableAfterMs", 0, 2147483647],
  ["heartbeat.intervalMs", 1, 2147483647, true],
  ["heartbeat.timeoutMs", 1, 2147483647],
  ["connectTimeoutMs", 1, 2147483647],
  ["queue.maxMessages", 0, 4294967294],
  ["queue.maxBytes", 0, 4294967294],
  ["queue.ttlMs", 1, 2147483647, true],
  ["maxMessageBytes", 1, 4294967294],
  ["buffer.highBytes", 1, 4294967294],
  ["buffer.lowBytes", 0, 4294967294],
];
