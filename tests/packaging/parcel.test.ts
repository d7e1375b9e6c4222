import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS } from "./harness/browser";
import { freePort, serveFolder } from "./harness/site";

describe("parcel-2", () => {
  const app = useApp("parcel-2");

  it("builds, with the entries of packages switched on in package.json", async () => {
    await app.run("parcel/lib/bin.js", ["build", "common/index.html", "--dist-dir", "dist"]);
    await expectMessages(await serveFolder(app.path("dist")), PARTS, { build: "production" });
  });

  it("serves while an application is developed", async () => {
    const port = String(await freePort());
    const address = await app.serve("parcel/lib/bin.js", ["common/index.html", "--port", port]);
    await expectMessages(address, PARTS, { build: "development" });
  });
});
