import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** What a server has received from a user: the events' names and their numbers, in the order of arrival. */
export interface Entry {
  readonly user: string;
  readonly event: string;
  readonly n: number;
}

/** Written to a file with each entry, so that it outlives a server that is killed. */
export class Ledger {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  of(user: string): Entry[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Entry).filter((entry) => entry.user === user);
  }
}
