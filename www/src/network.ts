import { answerAgain, stopAnswering } from "./devServer";
import { userIds } from "./people";

/** Makes the page believe it lost the network, and makes that true: frames still leave, but nothing comes back. */
export async function goOffline(): Promise<void> {
  await Promise.all(userIds.map((userId) => stopAnswering(userId, "new sockets too")));
  Object.defineProperty(navigator, "onLine", { configurable: true, get: () => false });
  window.dispatchEvent(new Event("offline"));
}

export async function goOnline(): Promise<void> {
  await answerEveryone();
  // The override sits on the instance, so deleting it uncovers the browser's own getter on the prototype.
  Reflect.deleteProperty(navigator, "onLine");
  window.dispatchEvent(new Event("online"));
}

/** Ends an outage on the server's side, such as one that a reload of the page has left behind. */
export async function answerEveryone(): Promise<void> {
  await Promise.all(userIds.map(answerAgain));
}
