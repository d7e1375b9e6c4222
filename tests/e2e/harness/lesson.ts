import type { Page } from "playwright-core";
import { afterEach, beforeEach } from "vitest";
import type { ConsoleGuard } from "./consoleGuard";
import { Pane } from "./pane";
import type { Server } from "./server";
import { present, useSite } from "./site";

/** The lesson, opened in a fresh page for every test, with both devices of the learner connected. */
export interface Lesson {
  readonly server: Server;
  readonly page: Page;
  readonly guard: ConsoleGuard;
  readonly learnerId: string;
  readonly phone: Pane;
  readonly laptop: Pane;
  /** Opens the lesson of another learner, and gives one of their devices. */
  openOther(): Promise<Pane>;
}

/** Starts a server and a browser for the tests of a file; the returned function gives the lesson of the running test. */
export function useLesson(): () => Lesson {
  const site = useSite();
  let lesson: Lesson | undefined;

  beforeEach(async () => {
    const { page, guard } = await site().open("/?view=lesson");
    const session = await page.getByTestId("session").innerText();
    const phone = new Pane(page, "phone", session);
    const laptop = new Pane(page, "laptop", session);
    await Promise.all([phone.reaches("open"), laptop.reaches("open")]);
    const openOther = async () => {
      const other = (await site().open("/?view=lesson")).page;
      const pane = new Pane(other, "phone", await other.getByTestId("session").innerText());
      await pane.reaches("open");
      return pane;
    };
    lesson = { server: site().server, page, guard, learnerId: `lea-${session}`, phone, laptop, openOther };
  });

  afterEach(() => {
    lesson = undefined;
  });

  return () => present(lesson);
}
