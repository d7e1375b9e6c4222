import { readFileSync, writeFileSync } from "node:fs";
import { env } from "node:process";
import { CLIENTS } from "../lab/clients";
import { type Row, recorded } from "./figures";
import { rootPath } from "./paths";

/** Prints the table of all clients, and writes it into docs/SOCKETIO.md or looks whether its rows are there. */
export function report(): void {
  const rows = recorded();
  if (rows.length === 0) return;
  const lines = tableOf(rows);
  console.log(`\n${lines.map(({ text }) => text).join("\n")}\n`);
  const page = readFileSync(PAGE, "utf8");
  const [before, table, after] = split(page);
  if (env["EVERWIRE_UPDATE"] === "1") {
    writeFileSync(PAGE, `${before}${BEGIN}\n\n${lines.map(({ text }) => text).join("\n")}\n\n${END}${after}`);
    return;
  }
  // Figures differ from run to run. What is promised is asserted where it is counted.
  const missing = lines.filter(({ key }) => !table.includes(key)).map(({ key }) => key);
  if (missing.length > 0) {
    console.error(
      `docs/SOCKETIO.md has no row for ${missing.join("; ")}: run EVERWIRE_UPDATE=1 cargo xtask test socketio`,
    );
    // An error here would be logged, and fail nothing.
    process.exitCode = 1;
  }
}

interface Line {
  /** What a row begins with, whatever was counted. */
  readonly key: string;
  readonly text: string;
}

function tableOf(rows: readonly Row[]): Line[] {
  const clients = Object.keys(CLIENTS);
  const head = `| scenario | server, place | ${clients.join(" | ")} |`;
  const rule = `|---|---|${clients.map(() => "---|").join("")}`;
  const keys = [...new Set(rows.map(keyOf))].sort();
  const body = keys.map((key) => {
    const cells = clients.map((client) => cell(rows.find((row) => row.client === client && keyOf(row) === key)));
    return { key, text: `${key} ${cells.join(" | ")} |` };
  });
  return [{ key: "", text: head }, { key: "", text: rule }, ...body];
}

const keyOf = ({ scenario, server, place }: Row): string => `| ${scenario} | ${server}, ${place} |`;

function cell(row: Row | undefined): string {
  if (!row) return "";
  const { sent, lost, doubled, outOfOrder, reported, seconds, remark } = row;
  const parts = [
    sent > 0 && `${lost} of ${sent} lost${lost > 0 ? `, ${reported} told of` : ""}`,
    doubled > 0 && `${doubled} doubled`,
    outOfOrder > 0 && `${outOfOrder} out of order`,
    remark,
    `${seconds.toFixed(1)} s`,
  ];
  return parts.filter(Boolean).join("; ");
}

function split(page: string): [string, string, string] {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/SOCKETIO.md has no ${BEGIN} … ${END}`);
  return [page.slice(0, begin), page.slice(begin, end), page.slice(end + END.length)];
}

const PAGE = rootPath("docs/SOCKETIO.md");
const BEGIN = "<!-- generated: both clients -->";
const END = "<!-- end of generated -->";
