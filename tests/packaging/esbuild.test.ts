import { beforeAll, describe, expect, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS, shownOn, WORKERS } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe("esbuild", () => {
  const app = useApp("esbuild");
  beforeAll(() => app.run("./build.mjs"));

  it("builds, and slim finds the module that was copied beside the bundle", async () => {
    await expectMessages(await serveFolder(app.path("dist/page")), PARTS, { build: "production" });
  });

  it("works under a strict Content Security Policy that allows WebAssembly and the server", async () => {
    await expectMessages(await serveFolder(app.path("dist/page"), policy("'self' 'wasm-unsafe-eval'")), PARTS);
  });

  it("names what a Content Security Policy without WebAssembly lacks", async () => {
    const address = await serveFolder(app.path("dist/page"), policy("'self'"));
    const { texts } = await shownOn(address, (texts) => ["default", "slim"].every((part) => texts[part]));
    for (const part of ["default", "slim"]) expect(texts[part]).toContain("'wasm-unsafe-eval'");
  });

  it("has one copy of the package where modules of both kinds use it", async () => {
    expect(await app.run("./dist/copies.js")).toBe("true\n");
  });

  it("builds for dedicated and shared workers", async () => {
    await expectMessages(await serveFolder(app.path("dist/workers")), WORKERS);
  });

  it("builds for a service worker", async () => {
    await expectMessages(await serveFolder(app.path("dist/service")), ["service"]);
  });
});

const policy = (scripts: string) => ({
  "content-security-policy": `default-src 'none'; img-src data:; script-src ${scripts}; connect-src 'self' ws:`,
});
