import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rootPath } from "./harness/paths";
import { allSnippets, parseSnippets, type Snippet, where } from "./harness/snippets";

/** Why a snippet may stand in a page, or why not. */
function problem({ page, language, code, remarks }: Snippet): string | undefined {
  if (remarks.skip !== undefined) return undefined;
  switch (language) {
    case "ts":
    case "tsx":
    case "py":
    case "python":
    case "sh":
    case "text":
    case "mermaid":
    case "html":
      return undefined;
    case "nginx":
    case "caddy":
    case "yaml":
    case "dockerfile":
      return configurations().includes(code) ? undefined : "it is no file of docs/deploy, which a test runs";
    case "json":
      return isJson(code) ? undefined : "it is not JSON";
    case "rust":
    case "rust,no_run":
      return page === "docs/CRATE.md" ? undefined : "only docs/CRATE.md is compiled by rustdoc";
    default:
      return language === "" ? "it has no language" : `nothing checks \`${language}\``;
  }
}

const configurations = (): readonly string[] =>
  readdirSync(rootPath("docs/deploy")).map((file) => readFileSync(rootPath(`docs/deploy/${file}`), "utf8"));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("the pages", () => {
  it("every snippet is checked, or excused with a reason", () => {
    const problems = allSnippets().map((snippet) => [where(snippet), problem(snippet)]);
    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
  });

  it("files and runs are named once in their page", () => {
    for (const remark of ["file", "run"] as const) {
      const names = allSnippets().flatMap(({ page, remarks }) =>
        remarks[remark] ? [`${page} ${remarks[remark]}`] : [],
      );
      expect(names).toEqual([...new Set(names)]);
    }
  });
});

describe("a snippet", () => {
  it("has the remarks of the comment right before it, and the line of its first line of code", () => {
    const page = "# A\n\n<!-- snippet: file: a.ts; setup: b.ts -->\n\n```ts\nf();\n```\n\ntext\n\n```sh\nls\n```\n";
    expect(parseSnippets("A.md", page)).toEqual([
      { page: "A.md", line: 6, language: "ts", code: "f();\n", remarks: { file: "a.ts", setup: "b.ts" } },
      { page: "A.md", line: 12, language: "sh", code: "ls\n", remarks: {} },
    ]);
  });

  it("is not spoken of by a comment with text in between", () => {
    const [snippet] = parseSnippets("A.md", "<!-- snippet: skip: no -->\n\ntext\n\n```ts\n```\n");
    expect(snippet?.remarks).toEqual({});
  });

  it("is refused with a remark that does not exist", () => {
    const parse = () => parseSnippets("A.md", "<!-- snippet: ignore: yes -->\n\n```ts\n```\n");
    expect(parse).toThrow("A.md:1: `ignore: yes` is none of `setup: …`, `file: …`, `run: …`, `terminal: …`, ");
  });

  it.each([
    ["cobol", "nothing checks `cobol`"],
    ["", "it has no language"],
    ["rust,ignore", "nothing checks `rust,ignore`"],
    ["rust", "only docs/CRATE.md is compiled by rustdoc"],
    ["json", "it is not JSON"],
    ["nginx", "it is no file of docs/deploy, which a test runs"],
  ])("in the language `%s` must be excused", (language, expected) => {
    const snippet = { page: "A.md", line: 1, language, code: "{", remarks: {} };
    expect(problem(snippet)).toBe(expected);
    expect(problem({ ...snippet, remarks: { skip: "it is an example of this test" } })).toBeUndefined();
  });
});
