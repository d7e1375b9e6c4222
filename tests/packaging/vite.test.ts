import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS, WORKERS } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe.each(["vite-7", "vite-8"] as const)("%s", (name) => {
  const app = useApp(name);

  it("builds", async () => {
    await app.run("vite/bin/vite.js", ["build", "common", "--outDir", "../dist", "--base", "./"]);
    await expectMessages(await serveFolder(app.path("dist")), PARTS, { build: "production" });
  });

  it("serves while an application is developed", async () => {
    const address = await app.serve("vite/bin/vite.js", ["common", "--host", "127.0.0.1", "--port", "0"]);
    await expectMessages(address, PARTS, { build: "development" });
  });

  it("builds for workers", async () => {
    await app.run("vite/bin/vite.js", ["build", "common/workers", "--outDir", "../../dist/workers"]);
    await expectMessages(await serveFolder(app.path("dist/workers")), WORKERS);
  });

  it("serves workers while an application is developed", async () => {
    const flags = ["common/workers", "--host", "127.0.0.1", "--port", "0"];
    await expectMessages(await app.serve("vite/bin/vite.js", flags), WORKERS);
  });
});
