import { NativeSocketClient } from "everwire";
import { useEvent, useEventState, useSession, WebSocketProvider } from "everwire/react";
import { chat } from "everwire/session";
import { createElement, memo, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

/** How many messages the list shows. */
const ROWS = 100;

const Row = memo(function Row({ content, n }) {
  return createElement("li", null, createElement("b", null, n), " ", content);
});

const EMPTY = { count: 0, isComplete: true, rows: [] };

/** What a list is made of after another message, and whether any was left out before it. */
function withMessage({ count, isComplete, rows }, { message }) {
  return {
    count: count + 1,
    isComplete: isComplete && message.n === count,
    rows: [...(rows.length < ROWS ? rows : rows.slice(1)), message],
  };
}

/** The frame of each commit, by the time that the document has throughout it. */
let commits = [];

function List({ state }) {
  useEffect(() => {
    commits.push(document.timeline.currentTime);
  });
  const rows = state.rows.map(({ id, content, n }) => createElement(Row, { key: id, content, n }));
  return createElement("ol", { id: "list", "data-count": state.count, "data-complete": state.isComplete }, rows);
}

const LISTS = {
  hook: () => createElement(List, { state: useEventState("message_received", withMessage, EMPTY) }),
  conversation: () => {
    const { messages } = useSession("bench");
    const all = messages.map(({ data }) => data);
    const rows = all.slice(-ROWS);
    const isComplete = all.every(({ n }, index) => n === all[0].n + index);
    return createElement(List, { state: { count: (all.at(-1)?.n ?? -1) + 1, isComplete, rows } });
  },
  // What one writes without it.
  state: () => {
    const [state, setState] = useState(EMPTY);
    useEvent("message_received", (data) => setState((before) => withMessage(before, data)));
    return createElement(List, { state });
  },
};

let client;
let root;

/** Mounts one of the lists, and resolves when its connection is open. */
window.mountList = (name) => {
  client = new NativeSocketClient({ delivery: "at-most-once", chat: chat({ userId: "ada" }) });
  root = createRoot(document.getElementById("root"));
  root.render(createElement(WebSocketProvider, { client }, createElement(LISTS[name])));
  return new Promise((resolve) => {
    client.on("open", () => resolve());
  });
};

/** Lets the server talk, and resolves when everything is in the list. */
window.measureList = async (events, perSecond) => {
  commits = [];
  let frames = 0;
  let isMeasuring = true;
  const nextFrame = () => {
    frames++;
    if (isMeasuring) requestAnimationFrame(nextFrame);
  };
  requestAnimationFrame(nextFrame);
  const startedAt = performance.now();
  client.send("talk", { events, perSecond });
  const list = document.getElementById("list");
  await new Promise((resolve) => {
    client.on("talked", () => {
      // What came last is shown with one of the next frames.
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
  });
  isMeasuring = false;
  return {
    milliseconds: performance.now() - startedAt,
    count: Number(list.dataset.count),
    isComplete: list.dataset.complete === "true",
    shown: list.children.length,
    frames,
    commits: commits.length,
    framesWithCommit: new Set(commits).size,
  };
};

window.unmountList = () => {
  root.unmount();
  client.dispose();
};
