/** The reference server's development endpoints: what breaks things on purpose. */

import { sessionId, tokenLifeS } from "./address";
import { post } from "./http";
import { everyone } from "./people";

export async function fetchToken(userId: string): Promise<string> {
  const life = tokenLifeS === 0 ? {} : { ttl_s: tokenLifeS };
  const answer = (await post("/dev/token", { user_id: userId, ...life })) as { token: string };
  return answer.token;
}

/** For a connection: after {@link refuseNextToken} once one that is refused. */
export async function connectionToken(userId: string): Promise<string> {
  return refused.delete(userId) ? "not a token that the server has given" : fetchToken(userId);
}

/** The users whose next token will be refused. */
const refused = new Set<string>();

/** Closes every socket of the user; the next one brings a token that the server refuses. */
export async function refuseNextToken(userId: string): Promise<void> {
  refused.add(userId);
  await dropConnections(userId);
}

/** The header by which the server's HTTP endpoints know the user. */
export async function authorization(userId: string): Promise<{ readonly authorization: string }> {
  return { authorization: `Bearer ${await fetchToken(userId)}` };
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

/** From now on nothing that the application pushes reaches the user, or everything does again. */
export async function failPushes(userId: string, fail: boolean): Promise<void> {
  await post("/dev/fail-pushes", { user_id: userId, fail });
}
