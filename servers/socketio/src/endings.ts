import { replaceParts } from "./noCode.js";

/** Refuses a statement that ends the transaction, in which the messages of others may be, or everwire's savepoint. */
export function refuseToEnd(sql: string): void {
  if (!MAY_END.test(sql)) return;
  const same = (text: string) => text;
  const blank = (text: string) => (SAVEPOINT.test(text) ? text : " ");
  // Either database may be the one that reads it.
  const statements = [true, false].flatMap((nested) => replaceParts(sql, nested, same, blank).split(";"));
  for (const statement of statements) {
    const ending = ENDING.exec(statement)?.[1];
    if (ending) throw new Error(`${ending.toUpperCase()} is everwire's: it commits what is done here, or undoes it`);
  }
}

const MAY_END = /\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE|SAVEPOINT|RELEASE)\b/i;
const SAVEPOINT = /^["']everwire["']$/i;
// A name behind U& can be written in many ways.
const ENDING =
  /^\s*((?:COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b))\b|(?:SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+(?:(?:WORK|TRANSACTION)\s+)?TO(?:\s+SAVEPOINT)?)\s*(?:\bU&|["'`[]?\beverwire\b))/i;
