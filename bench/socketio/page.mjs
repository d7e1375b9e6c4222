import { TYPES } from "/events.mjs";
import { io as everwire } from "/everwire-socketio.js";
import { eventsIn, inTime, makeTally, messagesOut, openControl, shuffled } from "/rounds.mjs";
import { io as socketIoClient } from "/socket.io-client.js";

const CLIENTS = { "socket.io-client": socketIoClient, everwire };

window.measureSocketIo = async ({ rounds, warmUpRounds, longestMs, events, messages }) => {
  const control = await openControl();
  const lanes = await Promise.all(Object.keys(CLIENTS).map(openLane));
  const results = { in: {}, out: {} };
  const endAt = performance.now() + longestMs;
  for (let round = -warmUpRounds; round < rounds && performance.now() < endAt; round++) {
    for (const direction of shuffled(["in", "out"])) {
      for (const lane of shuffled(lanes)) {
        const measurement = direction === "in" ? eventsIn(control, lane, events) : messagesOut(control, lane, messages);
        const { perSecond } = await inTime(measurement, lane.name);
        results[direction][lane.name] ??= [];
        if (round >= 0) results[direction][lane.name].push(perSecond);
      }
    }
  }
  for (const lane of lanes) lane.close();
  control.close();
  return results;
};

async function openLane(name) {
  const socket = CLIENTS[name](location.origin, {
    query: { lane: name },
    transports: ["websocket"],
    forceNew: true,
  });
  const tally = makeTally();
  for (const type of TYPES) {
    socket.on(type, (data) => {
      if (data) tally.handle();
    });
  }
  socket.on("disconnect", (reason) => {
    if (reason !== "io client disconnect") reportError(new Error(`${name}: ${reason}`));
  });
  socket.io.on("drop", ({ reason }) => reportError(new Error(`${name}: dropped, ${reason}`)));
  await new Promise((resolve) => socket.on("connect", resolve));
  return {
    name,
    tally,
    send: async (count) => {
      for (let number = 0; number < count; number++) socket.emit("message_sent", message(number));
    },
    settled: async () => {},
    close: () => socket.disconnect(),
  };
}

const message = (number) => ({
  session_id: "session-3f2b8a540d3c",
  message: { id: `message-${number}`, content: "what is said in one breath" },
});
