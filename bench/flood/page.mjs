import { EverwireLane, RawLane } from "/lanes.mjs";
import { eventsIn, inTime, makeTally, messagesOut, openControl, shuffled } from "/rounds.mjs";

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

async function openLane(Lane, delivery) {
  const tally = makeTally();
  const handler = (data, { timestamp }) => {
    if (data && timestamp) tally.handle();
  };
  const lane = new Lane(`${delivery}-${Lane.name}`, delivery === "reliable", handler);
  lane.tally = tally;
  await lane.opened();
  return lane;
}
