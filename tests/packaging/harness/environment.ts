import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

export { chromiumProgram } from "../../e2e/harness/environment";

/** A file of the checkout. */
export const rootPath = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

/** Where applications are installed, and stay between runs. */
export const workPath = (file: string): string => join(env["EVERWIRE_PACKAGING"] ?? rootPath("target/packaging"), file);

/** The packed package, as it would be published. */
export const tarballPath = (): string => workPath("everwire.tgz");
