import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { packagePath, rootPath } from "./harness/paths";

const page = await readFile(rootPath("docs/originals.md"), "utf8");

it("every event of both catalogues is on the page about the originals", async () => {
  const types = await readFile(packagePath("src/events.ts"), "utf8");
  const maps = types.match(/export interface \w+(Client|Server)Events \{.*?^\}/gms) ?? [];
  const events = maps.flatMap((map) => [...map.matchAll(/^ {2}(\w+): /gm)].map(([, name = ""]) => name));
  expect(events).toEqual(expect.arrayContaining(["join_session", "message_delta", "read_message", "session_update"]));
  const section = page.slice(page.indexOf("## Events"), page.indexOf("## Environment"));
  expect(events.filter((event) => !section.includes(`\`${event}\``))).toEqual([]);
});

it("every variable that client and server read under a name of the originals is on it", async () => {
  const readers = [packagePath("src/env.ts"), rootPath("tests/server/src/environment.rs")];
  const sources = await Promise.all(readers.map((file) => readFile(file, "utf8")));
  const variables = new Set(sources.join("").match(/\b(VITE|JWT|WS|CORS)_[A-Z_]+\b/g));
  expect(variables.size).toBe(12);
  expect([...variables].filter((variable) => !page.includes(`| \`${variable}\` |`))).toEqual([]);
});

it("every file that it leads to exists", () => {
  const targets = [...page.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = ""]) => target);
  expect(targets.length).toBeGreaterThan(20);
  expect(targets.filter((target) => !existsSync(rootPath(`docs/${target}`)))).toEqual([]);
});

it("every name that it promises of the package is exported", async () => {
  const everwire = await import("everwire");
  const session = await import("everwire/session");
  const react = await import("everwire/react");
  const exported = { ...everwire, ...session, ...react };
  const promised = [
    "NativeSocketClient",
    "nativeSocketClient",
    "configureWebSocket",
    "optionsFromEnv",
    "EMOTIONS",
    "sessionTyping",
    "matchTyping",
    "typingText",
    "COLABMATCH_TYPING",
    "MASTERX_TYPING",
    "showToasts",
    "useWebSocket",
    "useSocket",
    "useMatch",
    "useSession",
    "initializeSocketHandlers",
    "cleanupSocketHandlers",
    "emitTypingIndicator",
    "joinSession",
    "leaveSession",
  ];
  for (const name of promised) {
    expect(page, name).toContain(name);
    expect(exported, name).toHaveProperty(name);
  }
  expect(everwire.EMOTIONS).toHaveLength(27);
});
