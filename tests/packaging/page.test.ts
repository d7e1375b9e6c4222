import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { rootPath } from "./harness/environment";
import { TOOLCHAINS } from "./toolchains";

const page = await readFile(rootPath("docs/toolchains.md"), "utf8");
const code = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
const inOneLine = (text: string) => text.replaceAll(/\s+/g, " ").trim();

it.each(Object.entries(TOOLCHAINS))(
  "docs/toolchains.md names the version that is tested of %s",
  (name, { dependencies }) => {
    const [, version] = Object.entries(dependencies).find(([known]) => isOf(known, name)) ?? [];
    if (version !== undefined) expect(page).toContain(version);
  },
);

it("what docs/toolchains.md says about Parcel is what its application does", () => {
  expect(JSON.parse(code("json"))).toEqual(TOOLCHAINS["parcel-2"].manifest);
});

it("what docs/toolchains.md says about import maps is what the application does", async () => {
  const application = await readFile(rootPath("tests/packaging/apps/importmap/index.html"), "utf8");
  expect(inOneLine(application)).toContain(inOneLine(code("html")));
});

it("what docs/toolchains.md says about Node.js and slim is what the application does", async () => {
  const application = await readFile(rootPath("tests/packaging/apps/node/slim.mjs"), "utf8");
  expect(page).toContain(application.split("\n").find((line) => line.startsWith("await init(")));
});

/** `@rsbuild/core` is the package of `rsbuild-2`. */
const isOf = (known: string, toolchain: string) => known.replace(/^@|\/core$/g, "") === toolchain.replace(/-\d+$/, "");
