import { sessionId } from "./address";
import { authorization } from "./devServer";
import type { StoredMessage } from "./events";
import { get } from "./http";

/** How many messages the server is asked for at once. */
export const PAGE = 25;

/** One page of the match, oldest first: the last messages before an id, or the last of all. */
export async function fetchPage(userId: string, before?: number): Promise<readonly StoredMessage[]> {
  const query = new URLSearchParams({ limit: String(PAGE), ...(before !== undefined && { before: String(before) }) });
  const path = `/api/matches/${encodeURIComponent(sessionId)}/messages?${query}`;
  return ((await get(path, await authorization(userId))) as { messages: StoredMessage[] }).messages;
}

/** What has come after the message `known`, oldest first, and maybe some of what was before it. */
export async function fetchSince(userId: string, known: number): Promise<readonly StoredMessage[]> {
  let messages: readonly StoredMessage[] = [];
  for (;;) {
    const first = messages[0];
    const page = await fetchPage(userId, first && Number(first.id));
    messages = [...page, ...messages];
    const oldest = page[0];
    if (oldest === undefined || page.length < PAGE || Number(oldest.id) <= known) return messages;
  }
}
