import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { generatedPath, rootPath } from "./harness/paths";
import { type Outcome, run } from "./harness/run";
import { allSnippets, isPython, pageName, type Snippet, where, withSetup } from "./harness/snippets";

const snippets = allSnippets().filter((snippet) => isPython(snippet) && snippet.remarks.skip === undefined);

const fileOf = ({ page, line }: Snippet) => generatedPath(`python/${pageName(page)}_${line}.py`);

describe("Python in the pages is right for the library", () => {
  let outcome: Outcome;
  beforeAll(async () => {
    rmSync(generatedPath("python"), { recursive: true, force: true });
    mkdirSync(generatedPath("python"), { recursive: true });
    for (const snippet of [...snippets, WRONG]) writeFileSync(fileOf(snippet), withSetup(snippet).text);
    const options = ["--strict", "--config-file=", "--no-error-summary", "--cache-dir", generatedPath("mypy")];
    outcome = await run("python", ["-m", "mypy", ...options, ...[...snippets, WRONG].map(fileOf)], {
      cwd: generatedPath("python"),
      env: { MYPYPATH: rootPath("servers/python/src") },
    });
  });

  const problemsOf = (snippet: Snippet): readonly string[] => {
    const { linesBefore } = withSetup(snippet);
    const file = `${pageName(snippet.page)}_${snippet.line}.py`;
    return outcome.output.split("\n").flatMap((text) => {
      const [, line, message] = text.startsWith(`${file}:`) ? (/^[^:]*:(\d+): error: (.*)$/.exec(text) ?? []) : [];
      if (line === undefined) return [];
      return [`${snippet.page}:${snippet.line + Number(line) - 1 - linesBefore}: ${message}`];
    });
  };

  it.each(snippets.map((snippet) => [where(snippet), snippet] as const))("%s", (_, snippet) => {
    expect(problemsOf(snippet)).toEqual([]);
  });

  it("and what is wrong is found, on its line", () => {
    expect(problemsOf(WRONG), outcome.output).toEqual([expect.stringMatching(/^wrong\.md:11: Incompatible types/)]);
  });
});

const WRONG = {
  page: "wrong.md",
  line: 10,
  language: "python",
  code: "from everwire import Tokens\nx: int = Tokens('s')\n",
  remarks: {},
};
