import { readFileSync, writeFileSync } from "node:fs";
import { env } from "node:process";
import { expect, it } from "vitest";
import { recordHistory } from "./harness/chatHistory";
import { rootPath } from "./harness/paths";
import { Random } from "./harness/random";

const HISTORIES = 8;
const STEPS = 60;

/** `EVERWIRE_RECORD` says how many histories to write instead, of which `EVERWIRE_SEED` makes others. */
it("random histories come out as they are recorded, which the machine in Rust is held to as well", () => {
  const file = rootPath("docs/vectors/session/random.jsonl");
  const count = Number(env["EVERWIRE_RECORD"] ?? HISTORIES);
  const random = new Random(20_260_101);
  const histories = Array.from({ length: count }, (_, number) => recordHistory(random, number + 1, STEPS));
  if (env["EVERWIRE_RECORD"]) writeFileSync(file, histories.map((history) => `${JSON.stringify(history)}\n`).join(""));
  const recorded = readFileSync(file, "utf8").trim().split("\n");
  expect(recorded.map((line) => JSON.parse(line))).toEqual(histories);
});
