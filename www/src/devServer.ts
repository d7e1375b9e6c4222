/** The reference server's development endpoints: what breaks things on purpose. */

import type { StoredMessage } from "./events";
import { everyone, sessionId } from "./people";

export async function fetchToken(userId: string): Promise<string> {
  const answer = (await post("/dev/token", { user_id: userId })) as { token: string };
  return answer.token;
}

/** Closes every socket of the user; without a code the TCP connection is cut, which a browser reports as 1006. */
export async function dropConnections(userId: string, code?: number): Promise<void> {
  await post("/dev/drop", code === undefined ? { user_id: userId } : { user_id: userId, code });
}

export async function stopAnswering(userId: string, scope: "open sockets" | "new sockets too"): Promise<void> {
  await post("/dev/silent", { user_id: userId, silent: true, new_connections: scope === "new sockets too" });
}

export async function answerAgain(userId: string): Promise<void> {
  await post("/dev/silent", { user_id: userId, silent: false, new_connections: true });
}

export async function refuseHandshakes(userId: string, forMs: number): Promise<void> {
  await post("/dev/refuse", { user_id: userId, for_ms: forMs });
}

export async function pushEmotion(userId: string): Promise<void> {
  await post("/dev/emotion", { user_id: userId });
}

/** Makes the match of the two people; again is the same as once. */
export async function makeMatch(): Promise<void> {
  await post("/dev/match", { match_id: sessionId, users: everyone.map((person) => person.userId) });
}

/** Forgets the stored events of a user, so that nobody who is away now can have them later. */
export async function forgetHistory(userId: string): Promise<void> {
  await post("/dev/forget", { user_id: userId, upto: Number.MAX_SAFE_INTEGER });
}

/** The last messages of the match, oldest first. */
export async function fetchMessages(userId: string): Promise<readonly StoredMessage[]> {
  const headers = { authorization: `Bearer ${await fetchToken(userId)}` };
  const response = await request(`/api/matches/${encodeURIComponent(sessionId)}/messages?limit=200`, { headers });
  return ((await response.json()) as { messages: StoredMessage[] }).messages;
}

async function post(path: string, body: object): Promise<unknown> {
  const response = await request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

async function request(path: string, options: RequestInit): Promise<Response> {
  const response = await fetch(path, options).catch((cause: unknown) => {
    throw new Error("server unreachable", { cause });
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}
