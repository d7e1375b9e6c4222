import { expect } from "vitest";

/** What became of messages on their way. */
export interface Tally {
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

/** Compares what was sent with what arrived. */
export function tally(sent: readonly string[], arrived: readonly string[]): Tally {
  const firsts = [...new Set(arrived)];
  const places = new Map(sent.map((id, place) => [id, place]));
  const found = firsts.map((id) => places.get(id)).filter((place) => place !== undefined);
  return {
    lost: sent.length - found.length,
    doubled: arrived.length - firsts.length,
    reordered: found.filter((place, index) => place < Math.max(...found.slice(0, index))).length,
  };
}

/** Prints the counts of a scenario, and fails on every loss, copy and change of order. */
export function report(
  scenario: string,
  sent: readonly string[],
  arrived: readonly string[],
  verb = "processed",
): void {
  const { lost, doubled, reordered } = tally(sent, arrived);
  const counts = `lost ${lost}, doubled ${doubled}, reordered ${reordered}`;
  say(`${scenario}: sent ${sent.length}, ${verb} ${arrived.length}, ${counts}`);
  expect({ lost, doubled, reordered }, scenario).toEqual({ lost: 0, doubled: 0, reordered: 0 });
  expect(arrived).toEqual(sent);
}

/** Prints a line of the suite's result. */
export const say = (line: string): void => console.log(`  ${line}`);

/** The ids `m1` to `m{count}`. */
export const ids = (count: number, prefix = "m"): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
