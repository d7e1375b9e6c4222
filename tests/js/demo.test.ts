import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { packagePath, rootPath } from "./harness/paths";

const files = (folder: string): string[] =>
  readdirSync(rootPath(folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}/${name}`);
const linesOf = (file: string): string[] => readFileSync(rootPath(file), "utf8").split("\n");
const isCode = (line: string): boolean => !/^\s*($|\/\/|\/\*\*|\*)/.test(line);

it.each(["match", "lesson"])("the demo's %s is an application of less than 150 lines, none of them long", (view) => {
  const lines = files(`www/src/${view}`).flatMap(linesOf);
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.filter(isCode).length).toBeLessThan(150);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

it("the demo uses nothing of the package but its public entries", () => {
  const { exports } = JSON.parse(readFileSync(packagePath("package.json"), "utf8"));
  const entries = Object.keys(exports).map((name) => name.replace(/^\./, "everwire"));
  const imports = files("www/src").flatMap((file) =>
    linesOf(file).flatMap((line) => [...line.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map(([, name = ""]) => name)),
  );
  const outside = imports.filter((name) => !name.startsWith(".") && !/^react(-dom)?(\/|$)/.test(name));
  expect(outside).toContain("everwire/react");
  expect(outside.filter((name) => !entries.includes(name))).toEqual([]);
  expect(imports.filter((name) => name.startsWith("../../") || name.includes("pkg/"))).toEqual([]);
});

it("what only shows things knows no connection", () => {
  const hooks = files("www/src/components").filter((file) =>
    linesOf(file).some((line) => line.includes("everwire/react")),
  );
  expect(hooks).toEqual([]);
});
