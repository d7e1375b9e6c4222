import { showToasts, type Toast, toastOf } from "everwire/session";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

describe("a notification", () => {
  it("is shown with what it says", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler);
    socket.says("notification", { title: "Well done", text: "Chapter 1 is finished", level: "success", link: "/c/1" });
    expect(heard).toEqual([{ type: "success", title: "Well done", message: "Chapter 1 is finished", link: "/c/1" }]);
  });

  it.each<[Record<string, unknown>, Toast]>([
    [{ text: "hello" }, { type: "info", message: "hello" }],
    [{ title: "hello" }, { type: "info", message: "hello" }],
    [
      { title: "", text: "hello", link: "" },
      { type: "info", message: "hello" },
    ],
    [
      { message: "hello", type: "warning" },
      { type: "warning", message: "hello" },
    ],
    [
      { text: "hello", level: "catastrophe" },
      { type: "info", message: "hello" },
    ],
    [
      { text: "hello", title: 5, level: {}, link: [] },
      { type: "info", message: "hello" },
    ],
  ])("%o becomes %o", (notification, toast) => {
    expect(toastOf(notification)).toEqual(toast);
  });

  it.each([{}, { text: "" }, { text: 5, title: null }, { level: "error" }])("%o shows nothing", (notification) => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler);
    socket.says("notification", notification);
    expect(heard).toEqual([]);
  });
});

it("when the client has given up, a toast says so and can try again", () => {
  const client = makeClient({ reconnect: { maxAttempts: 0 } });
  const { handler, heard } = recorder<Toast>();
  showToasts(client, handler);
  client.connect();
  StandInSocket.newest.ends();
  expect(heard).toEqual([{ type: "error", message: "Real-time connection lost.", retry: expect.any(Function) }]);
  const before = StandInSocket.made.length;
  heard[0]?.retry?.();
  expect(StandInSocket.made).toHaveLength(before + 1);
});

it("the words for giving up are the application's", () => {
  const client = makeClient({ reconnect: { maxAttempts: 0 } });
  const { handler, heard } = recorder<Toast>();
  showToasts(client, handler, { giveUp: "Verbindung verloren" });
  client.connect();
  StandInSocket.newest.ends();
  expect(heard).toMatchObject([{ message: "Verbindung verloren" }]);
});

describe("when the client has stopped for good", () => {
  it("a toast says so, with the close code", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler);
    socket.ends(1003);
    expect(client.getSnapshot().phase).toBe("fatal");
    expect(heard).toEqual([{ type: "error", message: "The server refuses the connection (1003)." }]);
  });

  it("the words are the application's", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler, { fatal: ({ code }) => `Abgelehnt: ${code}` });
    socket.ends(1003);
    expect(heard).toEqual([{ type: "error", message: "Abgelehnt: 1003" }]);
  });
});

describe("errors", () => {
  it("of the server are shown when that is wanted, and those that the client saw never are", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler, { errors: true });
    socket.says("error", { message: "Rate limit exceeded", code: "rate_limited" });
    socket.says("error", {});
    socket.saysText("not JSON");
    expect(heard).toEqual([{ type: "error", message: "Rate limit exceeded" }]);
  });

  it("are not shown otherwise", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder<Toast>();
    showToasts(client, handler);
    socket.says("error", { message: "Rate limit exceeded" });
    expect(heard).toEqual([]);
  });
});

describe("toasts go", () => {
  it("to an object that shows them, with its `this`", () => {
    const { client, socket } = openClient();
    const store = {
      shown: [] as Toast[],
      showToast(toast: Toast) {
        this.shown.push(toast);
      },
    };
    showToasts(client, store);
    socket.says("notification", { text: "hello" });
    expect(store.shown).toEqual([{ type: "info", message: "hello" }]);
  });

  it("to a store's state as it is at that time, also where the store is a function", () => {
    const { client, socket } = openClient();
    let state = { showToast: vi.fn<(toast: Toast) => void>() };
    const first = state;
    const hook = vi.fn();
    showToasts(client, Object.assign(hook, { getState: () => state }));
    state = { showToast: vi.fn<(toast: Toast) => void>() };
    socket.says("notification", { text: "hello" });
    expect(state.showToast).toHaveBeenCalledExactlyOnceWith({ type: "info", message: "hello" });
    expect(first.showToast).not.toHaveBeenCalled();
    expect(hook).not.toHaveBeenCalled();
  });

  it("nowhere once that is ended", () => {
    const { client, socket } = openClient({ reconnect: { maxAttempts: 0 } });
    const show = vi.fn();
    const end = showToasts(client, show);
    end();
    socket.says("notification", { text: "hello" });
    socket.ends();
    expect(client.getSnapshot().phase).toBe("given_up");
    expect(show).not.toHaveBeenCalled();
  });
});
