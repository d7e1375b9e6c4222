// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { MasterXClientEvents, MasterXServerEvents, SendResult } from "everwire";
import { useWebSocket, WebSocketProvider } from "everwire/react";
import { TestServer } from "everwire/testing";
import { type FormEvent, useEffect, useState } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

// The component, as an app has it.

interface Line {
  readonly id: string;
  readonly content: string;
  readonly sent?: SendResult;
}

function Chat({ sessionId }: { readonly sessionId: string }) {
  const { emit, subscribe, phase } = useWebSocket<MasterXServerEvents, MasterXClientEvents>();
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [, render] = useState(0);
  useEffect(() => {
    emit("join_session", { session_id: sessionId });
    return subscribe("message_received", ({ message }) => setLines((before) => [...before, message]));
  }, [emit, subscribe, sessionId]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const content = String(new FormData(event.currentTarget).get("text"));
    const id = crypto.randomUUID();
    const sent = emit("message_sent", { session_id: sessionId, message: { id, content } });
    if (sent.status !== "refused") sent.subscribe(() => render((count) => count + 1));
    setLines((before) => [...before, { id, content, sent }]);
  };
  return (
    <section>
      <output>{phase}</output>
      <ul>
        {lines.map(({ id, content, sent }) => (
          <li key={id}>
            {content}
            {sent && ` (${sent.status})`}
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <input name="text" aria-label="Message" />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}

// Its tests.

let server: TestServer<MasterXServerEvents, MasterXClientEvents>;

beforeEach(() => {
  vi.useFakeTimers();
  server = new TestServer<MasterXServerEvents, MasterXClientEvents>({ dialect: "masterx" }).install();
});
afterEach(async () => {
  cleanup();
  await advance(0); // the hooks disconnect
  server.close();
  vi.useRealTimers();
});

/** Shows the chat of ada, and waits until she is there. */
async function openChat() {
  render(
    <WebSocketProvider
      options={{ url: "ws://test", token: "ada", delivery: "reliable", reconnect: { maxAttempts: 100 } }}
    >
      <Chat sessionId="s1" />
    </WebSocketProvider>,
  );
  await act(() => server.nextMessage("join_session", { user: "ada" }));
  await settled();
}

/** What is on its way has arrived, and is on the page. */
const settled = () => act(() => server.settled());
const advance = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function write(content: string) {
  fireEvent.change(screen.getByLabelText("Message"), { target: { value: content } });
  fireEvent.click(screen.getByText("Send"));
}

const lines = () => screen.queryAllByRole("listitem").map(({ textContent }) => textContent);

it("shows what others write", async () => {
  await openChat();
  const timestamp = new Date().toISOString();
  const message = { id: "m1", content: "hello", role: "user", timestamp, session_id: "s1", user_id: "ben" } as const;
  server.publish("s1", "message_received", { message });
  await settled();
  expect(lines()).toEqual(["hello"]);
});

it("what is written reaches the server once, and shows how far it has come", async () => {
  await openChat();
  write("hi");
  expect(lines()).toEqual(["hi (sent)"]);
  await settled();
  expect(lines()).toEqual(["hi (acknowledged)"]);
  expect(server.received("message_sent").map(({ data }) => data.message.content)).toEqual(["hi"]);
});

it("what is written while the server is away is sent when it is back", async () => {
  await openChat();
  server.faults.restart({ downMs: 60_000 });
  await settled();
  write("are you there?");
  expect([screen.getByRole("status").textContent, lines()]).toEqual(["waiting", ["are you there? (queued)"]]);
  await advance(70_000);
  expect([screen.getByRole("status").textContent, lines()]).toEqual(["open", ["are you there? (acknowledged)"]]);
  expect(server.received("message_sent")).toHaveLength(1);
});

it("what the server refuses is marked", async () => {
  await openChat();
  server.faults.refuseMessages({ type: "message_sent", code: "rate_limited" });
  write("spam");
  await settled();
  expect(lines()).toEqual(["spam (refused)"]);
});

it("when the browser says that it is offline, the link is tested, and the chat says so", async () => {
  await openChat();
  server.faults.offline();
  await advance(10_000);
  expect([screen.getByRole("status").textContent, navigator.onLine]).toEqual(["offline", false]);
  server.faults.online();
  await advance(100);
  expect([screen.getByRole("status").textContent, navigator.onLine]).toEqual(["open", true]);
});
