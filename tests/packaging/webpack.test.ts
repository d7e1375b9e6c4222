import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS, WORKERS } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe("webpack-5", () => {
  const app = useApp("webpack-5");

  it.each(["production", "development"] as const)("builds for %s, also workers", async (build) => {
    await app.run("webpack/bin/webpack.js", ["--mode", build]);
    await app.copy("common/index.html", "dist/index.html");
    await app.copy("common/workers/index.html", "dist/workers/index.html");
    await expectMessages(await serveFolder(app.path("dist")), PARTS, { build });
    await expectMessages(await serveFolder(app.path("dist/workers")), WORKERS);
  });
});
