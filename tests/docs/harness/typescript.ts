import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { generatedPath, program, rootPath } from "./paths";
import { run } from "./run";
import { isTypeScript, pageName, type Snippet, where, withSetup } from "./snippets";

/** Where a snippet is written: its own path in the directory of its page, or one of its line. */
export function fileOf(snippet: Snippet): string {
  const { page, line, language, remarks } = snippet;
  return generatedPath(`typescript/${pageName(page)}/${remarks.file ?? `line_${line}.${language}`}`);
}

/** Writes the snippets and compiles them; the problems of each, with their places in the page. */
export async function compile(snippets: readonly Snippet[]): Promise<ReadonlyMap<string, readonly string[]>> {
  rmSync(generatedPath("typescript"), { recursive: true, force: true });
  const places = new Map<string, { readonly snippet: Snippet; readonly linesBefore: number }>();
  for (const snippet of snippets.filter(isTypeScript)) {
    const { text, linesBefore } = withSetup(snippet);
    const file = fileOf(snippet);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    places.set(file, { snippet, linesBefore });
  }
  const project = generatedPath("typescript/tsconfig.json");
  writeFileSync(project, JSON.stringify(CONFIGURATION));
  const { status, output } = await run(program("tsc"), ["-p", project, "--pretty", "false"], { cwd: rootPath("") });
  const problems = new Map<string, string[]>();
  for (const [, file = "", line, message = ""] of output.matchAll(/^(\S.*?)\((\d+),\d+\): error (.*)$/gm)) {
    const place = places.get(rootPath(file));
    if (place === undefined) throw new Error(output);
    const { snippet, linesBefore } = place;
    const found = `${snippet.page}:${snippet.line + Number(line) - 1 - linesBefore}: ${message}`;
    problems.set(where(snippet), [...(problems.get(where(snippet)) ?? []), found]);
  }
  if (status !== 0 && problems.size === 0) throw new Error(output);
  return problems;
}

const CONFIGURATION = {
  compilerOptions: {
    target: "ES2023",
    lib: ["ES2023", "DOM", "DOM.Iterable", "ESNext.Disposable"],
    module: "ESNext",
    moduleResolution: "bundler",
    // Without an import a snippet is a module all the same, so it shares no names with others.
    moduleDetection: "force",
    jsx: "react-jsx",
    types: [
      "node",
      "vite/client",
      relative(generatedPath("typescript"), rootPath("tests/docs/setup/application.d.ts")),
    ],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ["."],
};
