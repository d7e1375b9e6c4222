import { once } from "node:events";
import { WebSocket } from "ws";

const SESSION = "broadcast";
/** So many connect at a time, as the server accepts no more at once. */
const AT_ONCE = 50;

/** How long after it was sent one message has reached all members of a session, in milliseconds, for each round. */
export async function measureBroadcast(origin, members, rounds) {
  const sockets = [];
  while (sockets.length < members) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, members - sockets.length) }, (_, i) => sockets.length + i);
    sockets.push(...(await Promise.all(numbers.map((number) => join(origin, `member-${number}`)))));
  }
  const [author, ...readers] = sockets;
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const heard = Promise.all(readers.map((reader) => hears(reader, `m${round}`)));
    const before = performance.now();
    say(author, "message_sent", { session_id: SESSION, message: { id: `m${round}`, content: "hello, everybody" } });
    await heard;
    times.push(performance.now() - before);
  }
  for (const socket of sockets) socket.terminate();
  return times;
}

async function join(origin, user) {
  const answer = await fetch(new URL(`/dev/token?user_id=${user}`, origin));
  if (!answer.ok) throw new Error(`/dev/token answered ${answer.status}`);
  const { token } = await answer.json();
  const socket = new WebSocket(new URL(`/api/ws?token=${token}`, origin.replace("http", "ws")));
  await once(socket, "open");
  say(socket, "join_session", { session_id: SESSION });
  // An answer to what comes after it shows that the server has taken it.
  say(socket, "echo", {});
  await hears(socket, '"echo"');
  return socket;
}

const say = (socket, type, data) => socket.send(JSON.stringify({ type, data, timestamp: Date.now() }));

function hears(socket, words) {
  return new Promise((resolve, reject) => {
    const listen = (text) => {
      if (!text.includes(words)) return;
      socket.off("message", listen);
      socket.off("close", fail);
      resolve();
    };
    const fail = (code) => reject(new Error(`a connection ended with code ${code}`));
    socket.on("message", listen);
    socket.once("close", fail);
  });
}
