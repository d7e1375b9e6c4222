import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages } from "./harness/browser";
import { serveFolder } from "./harness/site";

const PARTS = ["default", "react", "slim"];

describe.each(["vite-7", "vite-8"] as const)("%s", (name) => {
  const app = useApp(name);

  it("builds", async () => {
    await app.run("vite/bin/vite.js", ["build"]);
    await expectMessages(await serveFolder(app.path("dist")), PARTS);
  });

  it("serves while an application is developed", async () => {
    await expectMessages(await app.serve("vite/bin/vite.js", ["--host", "127.0.0.1", "--port", "0"]), PARTS);
  });
});
