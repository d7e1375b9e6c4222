import { NO_CODE } from "./noCode.js";

/** Refuses a statement that ends the transaction, in which the messages of others may be, or everwire's savepoint. */
export function refuseToEnd(sql: string): void {
  if (!MAY_END.test(sql)) return;
  for (const statement of sql.replace(NO_CODE, (text) => (SAVEPOINT.test(text) ? text : " ")).split(";")) {
    const ending = ENDING.exec(statement)?.[1];
    if (ending) throw new Error(`${ending.toUpperCase()} is everwire's: it commits what is done here, or undoes it`);
  }
}

const MAY_END = /\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE|SAVEPOINT|RELEASE)\b/i;
const SAVEPOINT = /^["']everwire["']$/i;
const ENDING =
  /^\s*(COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b)|(?:SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+(?:(?:WORK|TRANSACTION)\s+)?TO(?:\s+SAVEPOINT)?)\s*["'`[]?\beverwire)\b/i;
