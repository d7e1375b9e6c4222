import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { packagePath } from "./harness/paths";

it("is the production build that the tests see", async () => {
  const { NativeSocketClient } = await import("everwire");
  expect(String(NativeSocketClient)).not.toContain("\n");
});

it.each(["index", "slim"])("production does not carry the words of development: %s", async (entry) => {
  expect(await readFile(packagePath(`dist/${entry}.js`), "utf8")).not.toContain("did you mean");
  expect(await readFile(packagePath(`dist/development/${entry}.js`), "utf8")).toContain("did you mean");
});
