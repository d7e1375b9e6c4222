import {
  COLABMATCH_TYPING,
  MASTERX_TYPING,
  TypingAnnouncer,
  type TypingRule,
  TypingUsers,
  typingText,
} from "everwire/session";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** What is announced, with the time at which it is. */
function announcing(rule?: TypingRule) {
  const start = Date.now();
  const announced: [atMs: number, isTyping: boolean][] = [];
  const announcer = new TypingAnnouncer((isTyping) => announced.push([Date.now() - start, isTyping]), rule);
  const typesFor = (ms: number, everyMs: number) => {
    for (let at = 0; at < ms; at += everyMs) {
      announcer.keyPressed();
      vi.advanceTimersByTime(everyMs);
    }
  };
  return { announcer, announced, typesFor };
}

describe("typing in CoLabMatch", () => {
  it("is announced with the first key, and over 2 s after the last", () => {
    const { announcer, announced } = announcing();
    announcer.keyPressed();
    expect(announced).toEqual([[0, true]]);
    vi.advanceTimersByTime(700);
    announcer.keyPressed();
    vi.advanceTimersByTime(10_000);
    expect(announced).toEqual([
      [0, true],
      [1_500, true],
      [2_700, false],
    ]);
  });

  it("is the rule unless another is given", () => {
    expect(COLABMATCH_TYPING).toEqual({ debounceMs: 0, repeatMs: 1_500, stopMs: 2_000, clearMs: 3_000 });
  });
});

describe("typing in MasterX", () => {
  it("is announced 300 ms after the first key, however fast the next ones come", () => {
    const { announced, typesFor } = announcing(MASTERX_TYPING);
    typesFor(290, 29);
    expect(announced).toEqual([]);
    typesFor(58, 29);
    expect(announced).toEqual([[300, true]]);
    vi.advanceTimersByTime(5_000);
  });

  it("is not announced when the message is sent before that", () => {
    const { announcer, announced } = announcing(MASTERX_TYPING);
    announcer.keyPressed();
    vi.advanceTimersByTime(299);
    announcer.stopped();
    vi.advanceTimersByTime(10_000);
    expect(announced).toEqual([]);
  });

  it("of a single key is announced and over 2 s after it", () => {
    const { announcer, announced } = announcing(MASTERX_TYPING);
    announcer.keyPressed();
    vi.advanceTimersByTime(10_000);
    expect(announced).toEqual([
      [300, true],
      [2_000, false],
    ]);
  });
});

describe.each([
  ["CoLabMatch", COLABMATCH_TYPING],
  ["MasterX", MASTERX_TYPING],
])("steady typing by the rule of %s", (_, rule) => {
  it.each([40, 400, 1_100, 1_600, 1_950])(
    "with a key every %d ms never looks like its end, and repeats no sooner than after 1.5 s",
    (gap) => {
      const { announced, typesFor } = announcing(rule);
      typesFor(20_000, gap);
      vi.advanceTimersByTime(5_000);
      expect(announced.filter(([, isTyping]) => !isTyping)).toHaveLength(1);
      expect(announced.at(-1)?.[1]).toBe(false);
      const times = announced.slice(0, -1).map(([at]) => at);
      const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
      expect(times.length).toBeGreaterThan(9);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_500);
      // The server stops it 2 s after it last heard of it.
      expect(Math.max(...waits)).toBeLessThan(2_000);
    },
  );

  it("ends at once when the message is sent, begins anew with the next key, and is ended only once", () => {
    const { announcer, announced, typesFor } = announcing(rule);
    typesFor(1_000, 100);
    announcer.stopped();
    announcer.stopped();
    expect(announced).toEqual([
      [rule.debounceMs, true],
      [1_000, false],
    ]);
    announcer.keyPressed();
    vi.advanceTimersByTime(rule.debounceMs);
    expect(announced.at(-1)).toEqual([1_000 + rule.debounceMs, true]);
    announcer.stopped();
  });

  it("can be ended by what is called when it is announced", () => {
    const heard: boolean[] = [];
    const announcer: TypingAnnouncer = new TypingAnnouncer((isTyping) => {
      heard.push(isTyping);
      announcer.stopped();
    }, rule);
    announcer.keyPressed();
    vi.advanceTimersByTime(10_000);
    expect(heard).toEqual([true, false]);
  });
});

describe("other users who type", () => {
  it("are listed in the order in which they began, until they stop", () => {
    const users = new TypingUsers();
    users.heard("ada", true);
    users.heard("ben", true);
    users.heard("ada", true);
    expect(users.getSnapshot()).toEqual(["ada", "ben"]);
    users.heard("ada", false);
    expect(users.getSnapshot()).toEqual(["ben"]);
    users.clear();
    expect(users.getSnapshot()).toEqual([]);
  });

  it("are forgotten 3 s after they were last heard of", () => {
    const users = new TypingUsers();
    users.heard("ada", true);
    vi.advanceTimersByTime(2_900);
    users.heard("ada", true);
    vi.advanceTimersByTime(2_999);
    expect(users.getSnapshot()).toEqual(["ada"]);
    vi.advanceTimersByTime(1);
    expect(users.getSnapshot()).toEqual([]);
  });

  it("are the same array, and tell nobody, while none begins or stops", () => {
    const users = new TypingUsers();
    const listener = vi.fn();
    const end = users.subscribe(listener);
    users.heard("ada", false);
    users.clear();
    expect(listener).not.toHaveBeenCalled();
    users.heard("ada", true);
    const before = users.getSnapshot();
    users.heard("ada", true);
    expect(users.getSnapshot()).toBe(before);
    expect(listener).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3_000);
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    users.heard("ada", true);
    expect(listener).toHaveBeenCalledTimes(2);
    users.clear();
  });

  it("are told to every listener, also when one throws, which is reported", () => {
    const users = new TypingUsers();
    const failure = new Error("broken");
    const report = vi.fn();
    vi.stubGlobal("reportError", report);
    users.subscribe(() => {
      throw failure;
    });
    const listener = vi.fn();
    users.subscribe(listener);
    users.heard("ada", true);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(report).toHaveBeenCalledExactlyOnceWith(failure);
    users.clear();
    vi.unstubAllGlobals();
  });

  it("are at most 1 000, whatever a server says", () => {
    const users = new TypingUsers();
    for (let number = 0; number < 1_500; number++) users.heard(`user ${number}`, true);
    expect(users.getSnapshot()).toHaveLength(1_000);
    expect(vi.getTimerCount()).toBe(1_000);
    users.heard("user 0", false);
    users.heard("one more", true);
    expect(users.getSnapshot().at(-1)).toBe("one more");
    vi.advanceTimersByTime(3_000);
    expect(users.getSnapshot()).toEqual([]);
  });
});

it.each([
  [[], ""],
  [["Ada"], "Ada is typing…"],
  [["Ada", "Ben"], "Ada and Ben are typing…"],
  [["Ada", "Ben", "Cem"], "3 people are typing…"],
  [Array(12).fill("Ada"), "12 people are typing…"],
])("%o in words", (names: string[], words) => {
  expect(typingText(names)).toBe(words);
});
