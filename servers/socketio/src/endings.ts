/** Refuses a statement that ends the transaction, in which the messages of others may be. */
export function refuseToEnd(sql: string): void {
  if (!MAY_END.test(sql)) return;
  for (const statement of sql.replace(NO_CODE, " ").split(";")) {
    const ending = ENDING.exec(statement)?.[1];
    if (ending) throw new Error(`${ending.toUpperCase()} is everwire's: it commits what is done here, or undoes it`);
  }
}

const MAY_END = /\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE)\b/i;
const ENDING = /^\s*(COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b))\b/i;
// Comments, strings, and names in quotation marks.
const NO_CODE =
  /--[^\n\r]*|\/\*.*?\*\/|\b[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|(?<![\w$])(\$(?:[a-z_]\w*)?\$).*?\1/gis;
