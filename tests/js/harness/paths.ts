import { fileURLToPath } from "node:url";

/** A file of the package under test. */
export const packagePath = (file: string): string => rootPath(`pkg/${file}`);

/** A program that npm installed. */
export const program = (name: string): string => rootPath(`node_modules/.bin/${name}`);

export const rootPath = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
