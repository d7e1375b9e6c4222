import { expect, test } from "vitest";
import { useMatch } from "./harness/match";

// Longer than a connection needs to count as stable, so that every refused token is the first.
const match = useMatch({ "token-life": "7" });

test("a token that expires in the middle is refreshed, and nothing that is written meanwhile is lost", async () => {
  const { server, ada, grace } = match();
  const expiries = (side: typeof ada) =>
    side.pane.part("log").locator("[data-event=close]", { hasText: "code 4401" }).count();
  const written: string[] = [];
  // Without a pause, so that some are under way when the connections are closed.
  while (Math.min(await expiries(ada), await expiries(grace)) < 2) {
    const content = `number ${written.length + 1}`;
    await (written.length % 2 === 0 ? ada : grace).pane.write(content);
    written.push(content);
  }
  await Promise.all([ada.pane.reaches("open"), grace.pane.reaches("open")]);

  const by = (parity: number) => written.filter((_, index) => index % 2 === parity);
  for (const { pane } of [ada, grace]) {
    await expect.poll(async () => (await pane.messages()).length).toBe(written.length);
    const shown = await pane.messages();
    expect(shown.filter((content) => by(0).includes(content))).toEqual(by(0));
    expect(shown.filter((content) => by(1).includes(content))).toEqual(by(1));
  }
  for (const [side, parity] of [
    [ada, 0],
    [grace, 1],
  ] as const) {
    const sent = (await server.processed(side.pane.userId)).filter(({ type }) => type === "send_message");
    expect(sent.map(({ data }) => data.content)).toEqual(by(parity));
    await expect.poll(() => side.pane.part("log").locator("[data-event=give_up], [data-event=drop]").count()).toBe(0);
    await expect.poll(() => side.page.getByTestId("toast").count()).toBe(0);
  }
});
