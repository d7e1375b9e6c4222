import { chromiumProgram, serverProgram } from "../../e2e/harness/environment";
import { bundleAll } from "./bundle";
import { clearWork } from "./paths";
import { report } from "./report";

/** Says what is missing once, before any test starts; and afterwards what was counted. */
export async function setup(): Promise<() => void> {
  serverProgram();
  chromiumProgram();
  clearWork();
  await bundleAll();
  return report;
}
