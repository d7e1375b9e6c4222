// What the pages of floods have in common: rounds that measure one side after the other.

/** Longest time that one side of a round may take before it counts as stuck. */
const STUCK_AFTER_MS = 20_000;

export function inTime(measurement, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} is stuck`)), STUCK_AFTER_MS);
    measurement.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What has come of the events that a round expects. */
export function makeTally() {
  const tally = {
    handled: 0,
    expected: 0,
    startedAt: 0,
    finished: undefined,
    handle: () => {
      tally.handled++;
      if (tally.handled === 1) tally.startedAt = performance.now();
      if (tally.handled === tally.expected) tally.finished(performance.now());
    },
  };
  return tally;
}

/** From the first event that is handled to the last. */
export async function eventsIn(control, lane, count) {
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
export async function messagesOut(control, lane, count) {
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

export async function openControl() {
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

export function shuffled(items) {
  const left = [...items];
  const drawn = [];
  while (left.length) drawn.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  return drawn;
}
