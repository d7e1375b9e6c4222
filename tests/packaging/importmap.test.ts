import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages } from "./harness/browser";
import { serveFolder } from "./harness/site";

describe("importmap", () => {
  const app = useApp("importmap");

  it("works from the files as they are, without any bundler", async () => {
    await expectMessages(await serveFolder(app.directory), ["default", "slim"]);
  });
});
