/** The reference server's development endpoints: what breaks things on purpose. */

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

/**
 * What a user has written in a session, oldest first.
 *
 * The reference server keeps no chat history; its record of received frames stands in for the REST endpoint of an app.
 */
export async function fetchMessages(
  userId: string,
  sessionId: string,
): Promise<{ id: string; content: string; at: number }[]> {
  const query = new URLSearchParams({ user_id: userId, type: "message_sent" });
  const response = await request(`/dev/received?${query}`, {});
  const frames = (await response.json()) as ReceivedFrame[];
  return frames
    .filter((frame) => !frame.ignored && frame.data.session_id === sessionId)
    .map(({ data, timestamp }) => ({ ...data.message, at: timestamp ?? Date.now() }));
}

interface ReceivedFrame {
  readonly data: { readonly session_id: string; readonly message: { readonly id: string; readonly content: string } };
  readonly timestamp: number | null;
  /** It came in while the server played dead, and reached nobody. */
  readonly ignored: boolean;
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
