import { readdirSync, readFileSync } from "node:fs";
import MarkdownIt from "markdown-it";
import { rootPath } from "./paths";

/** One fenced block of code of a page. */
export interface Snippet {
  readonly page: string;
  /** The line of the page that its first line of code is on, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What the comment before it says. */
  readonly remarks: Readonly<Remarks>;
}

type Remarks = { [Name in (typeof REMARKS)[number]]?: string };

/** Every page whose code is checked. */
export const pages = (): readonly string[] => [
  "README.md",
  "pkg/README.md",
  "servers/python/README.md",
  ...readdirSync(rootPath("docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

export const allSnippets = (): readonly Snippet[] => pages().flatMap(snippetsOf);

export const snippetsOf = (page: string): readonly Snippet[] =>
  parseSnippets(page, readFileSync(rootPath(page), "utf8"));

export function parseSnippets(page: string, text: string): readonly Snippet[] {
  let remarks: Remarks = {};
  return new MarkdownIt({ html: true }).parse(text, {}).flatMap((token) => {
    const line = (token.map?.[0] ?? 0) + 2;
    if (token.type === "html_block") {
      const comment = /^\s*<!-- snippet: (.*?) -->\s*$/s.exec(token.content)?.[1];
      if (comment !== undefined) remarks = parseRemarks(comment, `${page}:${line - 1}`);
      return [];
    }
    const snippet = { page, line, language: token.info.trim(), code: token.content, remarks };
    // A comment speaks of what follows it at once.
    remarks = {};
    return token.type === "fence" ? [snippet] : [];
  });
}

function parseRemarks(comment: string, place: string): Remarks {
  const parts = comment.split(";").map((part) => {
    const [, name = "", value] = /^\s*(\w+): (.+?)\s*$/s.exec(part) ?? [];
    if (!isRemark(name) || value === undefined) {
      throw new Error(`${place}: \`${part.trim()}\` is none of ${REMARKS.map((name) => `\`${name}: …\``).join(", ")}`);
    }
    return [name, value];
  });
  return Object.fromEntries(parts);
}

const isRemark = (name: string): name is (typeof REMARKS)[number] => REMARKS.some((remark) => remark === name);

export const where = ({ page, line }: Snippet): string => `${page}:${line}`;

/** The lines that come before a snippet, and then the snippet. */
export function withSetup({ code, remarks }: Snippet): { readonly text: string; readonly linesBefore: number } {
  if (remarks.setup === undefined) return { text: code, linesBefore: 0 };
  const setup = readFileSync(rootPath(`tests/docs/setup/${remarks.setup}`), "utf8");
  return { text: setup + code, linesBefore: setup.split("\n").length - 1 };
}

export const isTypeScript = ({ language }: Snippet): boolean => ["ts", "tsx"].includes(language);
export const isPython = ({ language }: Snippet): boolean => ["py", "python"].includes(language);

/** As a directory or a file that Python can import. */
export const pageName = (page: string): string => page.replace(/\.md$/, "").replaceAll(/\W/g, "_");

const REMARKS = ["setup", "file", "run", "terminal", "until", "skip"] as const;
