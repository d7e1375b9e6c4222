import { next, openClient } from "./connections.mjs";

let clients = [];

export async function openMany(count) {
  clients = [];
  for (let number = 0; number < count; number++) clients.push(await openClient(`user-${number}`));
}

/** When each of the clients is open again, in milliseconds since 1970, once all are. */
export async function whenBack() {
  const times = await Promise.all(clients.map((client) => next(client, "open").then(() => Date.now())));
  for (const client of clients) client.dispose();
  return times;
}
