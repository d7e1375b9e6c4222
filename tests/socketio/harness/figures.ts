import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { workPath } from "./paths";

/** What a scenario counts. */
export interface Figures {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** How many of the lost the application was told of. */
  readonly reported: number;
  readonly seconds: number;
  readonly remark?: string;
}

export interface Row extends Figures {
  readonly scenario: string;
  readonly client: string;
  readonly server: string;
  readonly place: string;
}

/** Compares what was sent with what arrived. */
export function tally(sent: readonly number[], arrived: readonly number[]): Omit<Figures, "reported" | "seconds"> {
  const firsts = [...new Set(arrived)];
  const wanted = new Set(sent);
  const found = firsts.filter((n) => wanted.has(n));
  let highest = Number.NEGATIVE_INFINITY;
  let outOfOrder = 0;
  for (const n of found) {
    if (n < highest) outOfOrder++;
    highest = Math.max(highest, n);
  }
  return {
    sent: sent.length,
    received: arrived.length,
    lost: sent.length - found.length,
    doubled: arrived.length - firsts.length,
    outOfOrder,
  };
}

/** Seconds since then. */
export const since = (started: number): number => Math.round(performance.now() - started) / 1_000;

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

export function record(row: Row): void {
  appendFileSync(file(), `${JSON.stringify(row)}\n`);
  const { scenario, client, server, place, ...figures } = row;
  const numbers = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`  ${scenario} · ${client} · ${server} · ${place}: ${numbers.join(", ")}`);
}

export function recorded(): Row[] {
  if (!existsSync(file())) return [];
  const lines = readFileSync(file(), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Row);
}

const file = () => workPath("figures.jsonl");
