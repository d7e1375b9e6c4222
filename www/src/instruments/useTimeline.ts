import type { ChatMessage, ChatStatus, Snapshot } from "everwire";
import { useEvent, useWebSocket } from "everwire/react";
import { useEffect, useRef, useState } from "react";
import type { Mark, Span } from "../components/Timeline";
import { closeReason } from "./closeReason";
import { statusLine } from "./statusLine";

/** The phases of the connection and what passed over it, the latest of each. */
export function useTimeline(messages: readonly ChatMessage[]): {
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
} {
  const { client } = useWebSocket();
  const [spans, setSpans] = useState<readonly Span[]>(() => [spanOf(client.getSnapshot())]);
  const [marks, setMarks] = useState<readonly Mark[]>([]);
  const add = (...news: readonly Mark[]) => setMarks((past) => [...past, ...news].slice(-MOST));

  useEvent("state", (snapshot) => setSpans((past) => [...past, spanOf(snapshot)].slice(-MOST)));
  useEvent("close", (close) => add({ kind: "closed", at: Date.now(), words: `Closed: ${closeReason(close)}` }));

  const [since] = useState(Date.now);
  const known = useRef<ReadonlyMap<string, ChatStatus | null>>(new Map());
  useEffect(() => {
    // What is being written is not there yet.
    const whole = messages.filter(({ data }) => !("message_id" in data));
    const isOpen = client.isConnected();
    const news = whole.flatMap((message) => {
      const kind = kindOf(message, known.current.get(message.id));
      return kind && message.at >= since ? [{ kind, at: Date.now(), words: wordsOf(kind, message, isOpen) }] : [];
    });
    known.current = new Map(whole.map(({ id, status }) => [id, status]));
    if (news.length > 0) setMarks((past) => [...past, ...news].slice(-MOST));
  }, [messages, client, since]);

  return { spans, marks };
}

function spanOf(snapshot: Snapshot): Span {
  // Why it came to this is told by the mark of the close.
  return { phase: snapshot.phase, from: Date.now(), until: snapshot.retryAt, words: statusLine(snapshot).sentence };
}

/** What has happened to a message, if that belongs on the timeline. */
function kindOf({ isOwn, status }: ChatMessage, before: ChatStatus | null | undefined): Mark["kind"] | undefined {
  if (status === "failed") return before === "failed" ? undefined : "failed";
  if (status === "sending") return before === "sending" ? undefined : "sent";
  if (before === undefined) return "received";
  return isOwn && (before === "sending" || before === "failed") ? "acknowledged" : undefined;
}

function wordsOf(kind: Mark["kind"], { content, isOwn, error }: ChatMessage, isOpen: boolean): string {
  const text = `“${content.length > MOST_TEXT ? `${content.slice(0, MOST_TEXT)}…` : content}”`;
  if (kind === "sent") return isOpen ? `Sent ${text}` : `Written ${text}, to be sent`;
  if (kind === "acknowledged") return `The server has ${text}`;
  if (kind === "failed") return `Not sent: ${text}, ${error?.code ?? "failed"}`;
  return isOwn ? `Written elsewhere: ${text}` : `Received ${text}`;
}

const MOST = 200;
const MOST_TEXT = 32;
