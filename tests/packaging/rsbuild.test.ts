import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS } from "./harness/browser";
import { freePort, serveFolder } from "./harness/site";

describe("rsbuild-2", () => {
  const app = useApp("rsbuild-2");

  it("builds", async () => {
    await app.run("@rsbuild/core/bin/rsbuild.js", ["build"]);
    await expectMessages(await serveFolder(app.path("dist")), PARTS, { build: "production" });
  });

  it("serves while an application is developed", async () => {
    const port = String(await freePort());
    const address = await app.serve("@rsbuild/core/bin/rsbuild.js", ["dev", "--host", "127.0.0.1", "--port", port]);
    await expectMessages(address, PARTS, { build: "development" });
  });
});
