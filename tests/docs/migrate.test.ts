import { readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { rootPath } from "./harness/paths";

describe("docs/migrate.md", () => {
  const page = readFileSync(rootPath("docs/migrate.md"), "utf8");
  const clients = membersOfClients();

  it.each([...clients.keys()])("names every member and option of %s", (client) => {
    const members = clients.get(client) ?? [];
    expect(members.length).toBeGreaterThan(10);
    const isNamed = (member: string) => new RegExp(`\\b${member}\\b`).test(page);
    expect(members.filter((member) => !isNamed(member))).toEqual([]);
  });
});

/** The public members of each client, as the compiler sees them. */
function membersOfClients(): ReadonlyMap<string, readonly string[]> {
  const file = rootPath("tests/docs/harness/otherClients.ts");
  const program = ts.createProgram([file], {
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    strict: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const [clients] = module ? checker.getExportsOfModule(module) : [];
  if (clients === undefined) throw new Error(`${file} exports nothing`);
  const isPublic = (member: ts.Symbol) =>
    !/^(_|#)/.test(member.name) &&
    !(member.declarations ?? []).some((declaration) => {
      const flags = ts.getCombinedModifierFlags(declaration);
      return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
    });
  return new Map(
    checker
      .getDeclaredTypeOfSymbol(clients)
      .getProperties()
      .map((client) => {
        const parts = checker.getTypeArguments(checker.getTypeOfSymbol(client) as ts.TypeReference);
        const members = parts.flatMap((part) => checker.getPropertiesOfType(part)).filter(isPublic);
        return [client.name, [...new Set(members.map(({ name }) => name))]];
      }),
  );
}
