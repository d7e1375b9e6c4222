import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe("rollup-4", () => {
  const app = useApp("rollup-4");

  it("builds, and slim finds the module that was copied beside the bundle", async () => {
    await app.run("rollup/dist/bin/rollup", ["--config"]);
    await app.copy("node_modules/everwire/dist/everwire_bg.wasm", "dist/everwire_bg.wasm");
    await app.copy("common/index.html", "dist/index.html");
    await expectMessages(await serveFolder(app.path("dist")), PARTS, { build: "production" });
  });
});
