import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS, WORKERS } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe("webpack-5", () => {
  const app = useApp("webpack-5");

  it.each(["production", "development"])("builds for %s, also workers", async (mode) => {
    await app.run("webpack/bin/webpack.js", ["--mode", mode]);
    await app.copy("shared/index.html", "dist/index.html");
    await app.copy("shared/workers/index.html", "dist/workers/index.html");
    await expectMessages(await serveFolder(app.path("dist")), PARTS);
    await expectMessages(await serveFolder(app.path("dist/workers")), WORKERS);
  });
});
