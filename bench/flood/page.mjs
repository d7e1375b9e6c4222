import { EverwireLane, RawLane } from "/lanes.mjs";

/** Longest time that one side of a round may take before it counts as stuck. */
const STUCK_AFTER_MS = 20_000;

window.measureFlood = async ({ rounds, warmUpRounds, longestMs, events, messages }) => {
  const control = await openControl();
  const measures = [];
  for (const delivery of ["at-most-once", "reliable"]) {
    const raw = await openLane(RawLane, delivery);
    const everwire = await openLane(EverwireLane, delivery);
    measures.push({ direction: "in", delivery, raw, everwire, measure: (lane) => eventsIn(control, lane, events) });
    measures.push({
      direction: "out",
      delivery,
      raw,
      everwire,
      measure: (lane) => messagesOut(control, lane, messages),
    });
  }
  const results = measures.map(({ direction, delivery }) => ({ direction, delivery, raw: [], everwire: [] }));
  const endAt = performance.now() + longestMs;
  for (let round = -warmUpRounds; round < rounds && performance.now() < endAt; round++) {
    for (const index of shuffled(measures.keys())) {
      const { measure, ...lanes } = measures[index];
      for (const side of shuffled(["raw", "everwire"])) {
        const measured = await inTime(measure(lanes[side]), lanes[side].name);
        if (round >= 0) results[index][side].push(measured);
      }
    }
  }
  for (const { raw, everwire } of measures) {
    raw.close();
    everwire.close();
  }
  control.close();
  return results;
};

function inTime(measurement, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} is stuck`)), STUCK_AFTER_MS);
    measurement.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function openLane(Lane, delivery) {
  const tally = { handled: 0, expected: 0, startedAt: 0, finished: undefined };
  const handler = (data, { timestamp }) => {
    if (!data || !timestamp) return;
    tally.handled++;
    if (tally.handled === 1) tally.startedAt = performance.now();
    if (tally.handled === tally.expected) tally.finished(performance.now());
  };
  const lane = new Lane(`${delivery}-${Lane.name}`, delivery === "reliable", handler);
  lane.tally = tally;
  await lane.opened();
  return lane;
}

/** From the first event that is handled to the last. */
async function eventsIn(control, lane, count) {
  const { tally } = lane;
  tally.handled = 0;
  tally.expected = count;
  const finished = new Promise((resolve) => {
    tally.finished = resolve;
  });
  control.ask({ lane: lane.name, events: count });
  const finishedAt = await finished;
  return { perSecond: ((count - 1) * 1_000) / (finishedAt - tally.startedAt) };
}

/** From before the first call to when the page learns that the server has the last message. */
async function messagesOut(control, lane, count) {
  control.ask({ lane: lane.name, messages: count });
  await control.answer();
  const complete = control.answer();
  const startedAt = performance.now();
  await lane.send(count);
  const report = await complete;
  const perSecond = (count * 1_000) / (performance.now() - startedAt);
  await lane.settled();
  return { perSecond, ...report };
}

async function openControl() {
  const socket = new WebSocket(`ws://${location.host}/?lane=control`);
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  return {
    ask: (question) => socket.send(JSON.stringify(question)),
    answer: () =>
      new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(JSON.parse(data));
      }),
    close: () => socket.close(),
  };
}

function shuffled(items) {
  const left = [...items];
  const drawn = [];
  while (left.length) drawn.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  return drawn;
}
