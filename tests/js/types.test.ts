import { expect, it } from "vitest";
import { program, rootPath } from "./harness/paths";
import { run } from "./harness/run";

it("the published types accept what they should, refuse what they should, and stand on their own", async () => {
  const outcome = await run(program("tsc"), ["--noEmit", "--pretty", "false", "-p", "types"], rootPath("tests/js"));
  expect(outcome).toEqual({ status: 0, output: "" });
});
