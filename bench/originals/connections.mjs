// Clients of users, the way an application makes them, and the server's control endpoints.

import { NativeSocketClient } from "everwire";

/** What the page waits for comes at once or not at all. */
const STUCK_AFTER_MS = 20_000;

export async function tokenOf(user) {
  const response = await fetch(`/dev/token?user_id=${user}`);
  if (!response.ok) throw new Error(`/dev/token answered ${response.status}`);
  return (await response.json()).token;
}

export async function push(user, type, data) {
  const response = await fetch("/dev/push", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user_id: user, type, data }),
  });
  if (!response.ok) throw new Error(`/dev/push answered ${response.status}`);
}

export async function openClient(user) {
  const client = new NativeSocketClient({ token: await tokenOf(user) });
  const opened = next(client, "open");
  client.connect();
  await opened;
  return client;
}

/** Two users' clients in one session. */
export async function openPair(session) {
  const here = await openClient("ada");
  const there = await openClient("bob");
  for (const client of [there, here]) client.send("join_session", { session_id: session });
  // A connection's messages are processed in order, so an answer to a later one says that the session is joined.
  await Promise.all(
    [here, there].map((client) => {
      const answered = next(client, "pong");
      client.send("ping", {});
      return answered;
    }),
  );
  return { here, there };
}

/** The data of the next event of that name that `isMeant` takes. */
export function next(client, event, isMeant = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no ${event} came`));
    }, STUCK_AFTER_MS);
    const end = client.on(event, (data) => {
      if (!isMeant(data)) return;
      clearTimeout(timer);
      end();
      resolve(data);
    });
  });
}

/** How long each of `rounds` runs of `action` takes, after some that do not count. */
export async function timed(rounds, action) {
  const times = [];
  for (let round = -5; round < rounds; round++) {
    const before = performance.now();
    const after = (await action(round + 5)) ?? performance.now();
    if (round >= 0) times.push(after - before);
  }
  return times;
}

export function emotion(messageId) {
  return {
    message_id: messageId,
    emotion: {
      primary_emotion: "curiosity",
      intensity: 0.82,
      pad_values: { pleasure: 0.41, arousal: 0.37, dominance: 0.22 },
    },
  };
}
