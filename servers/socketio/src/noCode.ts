/**
 * Replaces what is code in a statement, and what is none: comments, strings, and names in quotation marks. Comments are `nested` for PostgreSQL, and for SQLite they are not.
 */
export function replaceParts(
  statement: string,
  nested: boolean,
  code: (text: string) => string,
  noCode: (text: string) => string,
): string {
  let replaced = "";
  let end = 0;
  const pattern = new RegExp(NO_CODE);
  for (let found = pattern.exec(statement); found; found = pattern.exec(statement)) {
    replaced += code(statement.slice(end, found.index));
    end = nested && found[0].startsWith("/*") ? endOfComment(statement, found.index) : pattern.lastIndex;
    replaced += noCode(statement.slice(found.index, end));
    pattern.lastIndex = end;
  }
  return replaced + code(statement.slice(end));
}

function endOfComment(statement: string, begin: number): number {
  let depth = 0;
  for (const { 0: mark, index } of statement.slice(begin).matchAll(/\/\*|\*\//g)) {
    depth += mark === "/*" ? 1 : -1;
    if (depth === 0) return begin + index + mark.length;
  }
  return statement.length;
}

const NO_CODE =
  /--[^\n\r]*|\/\*.*?\*\/|\b[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|(?<![\w$])(\$(?:[a-z_]\w*)?\$).*?\1/gis;
