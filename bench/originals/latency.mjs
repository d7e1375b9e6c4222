import { NativeSocketClient } from "everwire";
import { emotion, next, openClient, openPair, push, timed, tokenOf } from "./connections.mjs";

const SESSION = "session-3f2b8a540d3c";

/** From `new NativeSocketClient()` to its `open`; the first, which loads the module, does not count. */
export async function measureConnect(rounds) {
  const token = await tokenOf("ada");
  return timed(rounds, async () => {
    const client = new NativeSocketClient({ token });
    const opened = next(client, "open").then(() => performance.now());
    client.connect();
    const openedAt = await opened;
    client.dispose();
    return openedAt;
  });
}

/** From `send()` of one user to the handler of the other. */
export async function measureMessage(rounds) {
  const { here, there } = await openPair(SESSION);
  const times = await timed(rounds, async (round) => {
    const id = `message-${round}`;
    const came = next(there, "message_received", ({ message }) => message.id === id).then(() => performance.now());
    here.send("message_sent", { session_id: SESSION, message: { id, content: "what is said in one breath" } });
    return came;
  });
  here.dispose();
  there.dispose();
  return times;
}

export async function measureTyping(rounds) {
  const { here, there } = await openPair(SESSION);
  const times = await timed(rounds, async (round) => {
    const isTyping = round % 2 === 0;
    const came = next(there, "typing_indicator", (data) => data.isTyping === isTyping).then(() => performance.now());
    here.send("user_typing", { session_id: SESSION, isTyping });
    return came;
  });
  here.dispose();
  there.dispose();
  return times;
}

/** From the application's request to the handler. */
export async function measureEmotion(rounds) {
  const client = await openClient("ada");
  const times = await timed(rounds, async (round) => {
    const id = `message-${round}`;
    const came = next(client, "emotion_update", ({ message_id }) => message_id === id).then(() => performance.now());
    await push("ada", "emotion_update", emotion(id));
    return came;
  });
  client.dispose();
  return times;
}

/** A whole request for which the server has to check a token. */
export async function measureToken(rounds) {
  const headers = { authorization: `Bearer ${await tokenOf("ada")}` };
  return timed(rounds, async () => {
    const response = await fetch("/api/matches?limit=1", { headers });
    if (!response.ok) throw new Error(`/api/matches answered ${response.status}`);
    await response.text();
  });
}
