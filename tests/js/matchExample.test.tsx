// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { useSocket, WebSocketProvider } from "everwire/react";
import { chat } from "everwire/session";
import { colabmatch, TestServer } from "everwire/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

// The component, as an app has it.

function Match({ matchId }: { readonly matchId: string }) {
  const { messages, online, typing, sendMessage, sendTyping, markAsRead } = useSocket(matchId);
  const newest = messages.filter(({ isOwn }) => !isOwn).at(-1);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        sendMessage(String(new FormData(event.currentTarget).get("text")));
      }}
    >
      <output>{typing ? "types" : online ? "online" : "offline"}</output>
      <ul>
        {messages.map(({ id, content, status }) => (
          <li key={id}>{status ? `${content} (${status})` : content}</li>
        ))}
      </ul>
      <input
        name="text"
        aria-label="Message"
        onChange={() => sendTyping(true)}
        onFocus={() => newest && markAsRead(newest.id)}
      />
      <button type="submit">Send</button>
    </form>
  );
}

// Its tests: two people, each with a page of their own, and one server.

let server: TestServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new TestServer({ dialect: colabmatch({ matches: { m1: ["ada", "ben"] } }) });
});
afterEach(async () => {
  cleanup();
  await advance(0); // the hooks disconnect
  server.close();
  vi.useRealTimers();
});

/** Opens the page of a user, who is shown the conversation as the server has it. */
async function openPage(user: string) {
  const loadEarlier = async ({ id, ...query }: { readonly id: string; readonly before: string | null }) =>
    server.history(id, query);
  render(
    <main aria-label={user}>
      <WebSocketProvider
        options={{
          url: "ws://test",
          token: user,
          WebSocket: server.WebSocket,
          delivery: "reliable",
          chat: chat({ userId: user, loadEarlier }),
        }}
      >
        <Match matchId="m1" />
      </WebSocketProvider>
    </main>,
  );
  await settled();
  const page = within(screen.getByLabelText(user));
  const input = page.getByLabelText("Message");
  return {
    status: () => page.getByRole("status").textContent,
    lines: () => page.queryAllByRole("listitem").map(({ textContent }) => textContent),
    type: (text: string) => fireEvent.change(input, { target: { value: text } }),
    send: () => fireEvent.click(page.getByText("Send")),
    look: () => fireEvent.focus(input),
  };
}

/** What is on its way has arrived, and is on the page: conversations show what others do with the next frame. */
const settled = async () => {
  await act(() => server.settled());
  await act(() => vi.advanceTimersByTimeAsync(50));
};
const advance = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("both see what either writes, and the sender sees that it was read", async () => {
  server.seedHistory("m1", [
    { id: "1", matchId: "m1", senderId: "ben", content: "hi", createdAt: "2026-01-01T12:00:00.000Z", readAt: null },
  ]);
  const [ada, ben] = [await openPage("ada"), await openPage("ben")];
  expect([ada.lines(), ben.lines()]).toEqual([["hi"], ["hi (sent)"]]);
  ada.type("hello");
  ada.send();
  await settled();
  expect([ada.lines(), ben.lines()]).toEqual([
    ["hi", "hello (delivered)"],
    ["hi (sent)", "hello"],
  ]);
  ben.look();
  await advance(1_000);
  expect(ada.lines()).toEqual(["hi", "hello (read)"]);
});

it("the other is seen typing, pausing, leaving and coming", async () => {
  const [ada, ben] = [await openPage("ada"), await openPage("ben")];
  expect(ada.status()).toBe("online");
  ben.type("h");
  await settled();
  expect(ada.status()).toBe("types");
  await advance(3_000);
  expect(ada.status()).toBe("online");
  server.connections.find(({ user }) => user === "ben")?.drop();
  await settled();
  expect(ada.status()).toBe("offline");
  await advance(5_000);
  expect(ada.status()).toBe("online");
});

it("nothing is lost or doubled on a train", async () => {
  const [ada, ben] = [await openPage("ada"), await openPage("ben")];
  server.faults.delay([50, 400]);
  server.faults.script(Array.from({ length: 10 }, (_, n) => ({ at: 700 * n, drop: true })));
  const texts = Array.from({ length: 20 }, (_, n) => `message ${n}`);
  for (const text of texts) {
    ada.type(text);
    ada.send();
    await advance(350);
  }
  await advance(60_000);
  expect(ben.lines()).toEqual(texts);
  expect(server.received("send_message")).toHaveLength(20);
});
