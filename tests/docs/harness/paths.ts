import { fileURLToPath } from "node:url";

export const rootPath = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

/** Where the snippets are written: below this directory, so that they find its packages. */
export const generatedPath = (file: string): string => rootPath(`tests/docs/.generated/${file}`);

/** A program that npm installed. */
export const program = (name: string): string => rootPath(`node_modules/.bin/${name}`);
