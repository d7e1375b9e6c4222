import { expect, it } from "vitest";

it("is the production build that the tests see", async () => {
  const { NativeSocketClient } = await import("everwire");
  expect(String(NativeSocketClient)).not.toContain("\n");
});
