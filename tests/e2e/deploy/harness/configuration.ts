import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A configuration of `docs/deploy`, with what is particular to a place put in; what is not there to be replaced is an error. */
export function configuration(file: string, replacements: Readonly<Record<string, string>>): string {
  const path = fileURLToPath(new URL(`../../../../docs/deploy/${file}`, import.meta.url));
  return Object.entries(replacements).reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`docs/deploy/${file} has no \`${from}\` any more`);
      return text.replaceAll(from, to);
    },
    readFileSync(path, "utf8"),
  );
}
