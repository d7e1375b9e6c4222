import { expect, it } from "vitest";
import { rootPath } from "./harness/paths";
import { runModule } from "./harness/run";

const ENTRIES = [
  "everwire",
  "everwire/slim",
  "everwire/react",
  "everwire/react/slim",
  "everwire/durable",
  "everwire/validate",
  "everwire/session",
];

const TRAPPED = [
  "window",
  "document",
  "location",
  "navigator",
  "localStorage",
  "WebSocket",
  "WebAssembly",
  "crypto",
  "indexedDB",
  "performance",
  "fetch",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "requestAnimationFrame",
];

it.each(ENTRIES)("importing %s looks at nothing of the page and starts nothing", async (entry) => {
  const outcome = await runModule(
    `
      await import("react");
      for (const name of ${JSON.stringify(TRAPPED)}) {
        Object.defineProperty(globalThis, name, { get() { throw new Error("looked at " + name); } });
      }
      const names = Object.keys(await import(${JSON.stringify(entry)}));
      process.stdout.write(names.join(" "));
    `,
    rootPath("tests/js"),
  );
  expect(outcome).toMatchObject({
    status: 0,
    output: expect.stringMatching(/NativeSocketClient|useWebSocket|durableOutbox|sessionTyping|validate/),
  });
});

it.each(ENTRIES)("importing %s on a plain Node starts no timer", async (entry) => {
  const outcome = await runModule(
    `
      import ${JSON.stringify(entry)};
      process.on("exit", () => process.stdout.write(String(process.getActiveResourcesInfo().includes("Timeout"))));
    `,
    rootPath("tests/js"),
  );
  expect(outcome).toEqual({ status: 0, output: "false" });
});

it("a client can be made on a plain Node, and keeps no process alive before it connects", async () => {
  const outcome = await runModule(
    `
      import { NativeSocketClient } from "everwire";
      const client = new NativeSocketClient({ url: "https://server.test" });
      client.on("greeting", () => {});
      process.stdout.write(client.getState());
    `,
    rootPath("tests/js"),
  );
  expect(outcome).toEqual({ status: 0, output: "closed" });
});

it("the default entry and the hooks share one client class", async () => {
  const outcome = await runModule(
    `
      import { NativeSocketClient } from "everwire";
      import { readFileSync } from "node:fs";
      const react = readFileSync(new URL(import.meta.resolve("everwire/react")), "utf8");
      process.stdout.write(String(/from"everwire"/.test(react) && !/WebAssembly/.test(react) && typeof NativeSocketClient));
    `,
    rootPath("tests/js"),
  );
  expect(outcome).toEqual({ status: 0, output: "function" });
});
