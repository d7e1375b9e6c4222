import { builtPage, chromiumProgram, serverProgram } from "./environment";

/** Says what is missing once, before any test starts. */
export function setup(): void {
  serverProgram();
  builtPage();
  chromiumProgram();
}
