import { describe, expect, it, vi } from "vitest";
import { names, openPage, outboxOf, refusal, stored, useStorage } from "./harness/storage";

const browser = useStorage();

describe("a wipe", () => {
  it("takes everything of the name, of living pages too, and leaves no trace of it", async () => {
    const ada = { name: "ada" };
    const [first, second] = [await openPage("a", ada), await openPage("b", ada)];
    const other = await openPage("c", { name: "grace" });
    await Promise.all([first.put(1), second.put(1), other.put(1)]);
    await first.outbox.wipe();
    const keys = [...(await stored()).keys()];
    expect(keys.join()).not.toContain("ada");
    expect(keys).toContain('["grace","c",1,32,1]');
  });

  it("overtakes puts that are under way", async () => {
    const [first, second] = [await openPage("a"), await openPage("b")];
    const puts = [first.put(1), second.put(1)];
    const wiping = first.outbox.wipe();
    puts.push(first.put(2), second.put(2));
    await wiping;
    await Promise.allSettled(puts);
    expect([...(await stored()).keys()].filter((key) => key.startsWith("["))).toEqual([]);
  });

  it("refuses what another page put in ignorance of it, and only that", async () => {
    const [first, second] = [await openPage("a"), await openPage("b")];
    await second.put(1);
    await first.outbox.wipe();
    const ignorant = second.put(2);
    expect(await refusal(ignorant)).toMatchObject({
      code: "storage_failed",
      message: expect.stringMatching(/logout.*browser/),
    });
    await second.put(3);
    await first.put(1);
    second.outbox.close();
    expect(names((await openPage("c")).adopted)).toEqual(["b3"]);
  });

  it("refuses nothing under another name", async () => {
    const [first, second] = [await openPage("a", { name: "ada" }), await openPage("b", { name: "grace" })];
    await first.outbox.wipe();
    await second.put(1);
  });

  it("lets go of adopted senders and keeps the page's own", async () => {
    await (await openPage("a")).put(1);
    browser.kill("a");
    const { outbox, put } = await openPage("b");
    await outbox.wipe();
    await vi.waitFor(() => expect(browser.locks.held).toEqual(["everwire:default:b"]));
    await put(1);
  });

  it("works without having opened, and after closing", async () => {
    const first = await openPage("a");
    await first.put(1);
    await outboxOf().wipe();
    expect((await stored()).has("0")).toBe(true);
    expect((await refusal(first.put(2))).code).toBe("storage_failed");
    await first.put(3);
    first.outbox.close();
    await first.outbox.wipe();
    expect([...(await stored()).keys()]).toEqual(["0"]);
  });
});
