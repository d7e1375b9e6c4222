import { beforeAll, describe, expect, it } from "vitest";
import { allSnippets, isTypeScript, where } from "./harness/snippets";
import { compile } from "./harness/typescript";

const snippets = allSnippets().filter((snippet) => isTypeScript(snippet) && snippet.remarks.skip === undefined);

describe("TypeScript in the pages is right for the built package", () => {
  let problems: Awaited<ReturnType<typeof compile>>;
  beforeAll(async () => {
    problems = await compile([...snippets, WRONG]);
  });

  it.each(snippets.map((snippet) => [where(snippet)]))("%s", (place) => {
    expect(problems.get(place) ?? []).toEqual([]);
  });

  it("and what is wrong is found, on its line", () => {
    expect(problems.get("wrong.md:10")).toEqual([expect.stringMatching(/^wrong\.md:11: TS2322: /)]);
  });
});

const WRONG = {
  page: "wrong.md",
  line: 10,
  language: "ts",
  code: 'import { NativeSocketClient } from "everwire";\nconst x: string = new NativeSocketClient();\n',
  remarks: {},
};
