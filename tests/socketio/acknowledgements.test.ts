import { expect } from "vitest";
import { type Arena, type Scenario, scenarios } from "./harness/arena";
import { type Figures, since, tally, upTo } from "./harness/figures";

/** Fifty events are to be acknowledged after a moment, in which the connection is reset. */
const overDrop =
  (timeoutMs: number): Scenario =>
  async (arena) => {
    const { server, proxy, lab, user } = arena;
    await arena.start();
    await arena.isConnected();
    const started = performance.now();
    await lab.call("ask", 1, 50, timeoutMs, "late", 200);
    await expect.poll(() => server.received(user, "late")).toHaveLength(50);
    await proxy.rule({ fault: "reset" });
    await expect.poll(async () => (await arena.told("disconnect")).length).toBe(1);
    await arena.isConnected();
    await lab.call("ask", 51, 60, timeoutMs);
    return answered(arena, 60, started);
  };

/** The server answers later than the client waits. */
const tooLate: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const started = performance.now();
  await lab.call("ask", 1, 10, 100, "late", 300);
  await expect.poll(() => server.received(user, "late")).toHaveLength(10);
  await expect.poll(async () => ended(await outcomes(arena))).toBe(10);
  // The answers of these come behind the late ones.
  await lab.call("ask", 11, 20, 5_000, "late", 300);
  const figures = await answered(arena, 20, started);
  expect(await outcomes(arena)).toEqual([...Array(10).fill("failed"), ...Array(10).fill("acknowledged")]);
  return figures;
};

/** The server asks, and the client answers. */
const questions: Scenario = async (arena) => {
  const { server, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const started = performance.now();
  for (let n = 1; n <= 10; n++) {
    expect(await server.ask("ask", user, { first: n })).toEqual({ answers: [n] });
  }
  const { asked } = await lab.call("look");
  expect(asked).toEqual(upTo(10));
  return { ...tally(upTo(10), asked), reported: 0, seconds: since(started) };
};

/** Counts as lost what was not acknowledged, and as reported what the application was told has failed. */
async function answered(arena: Arena, sent: number, started: number): Promise<Figures> {
  await arena.settled(async () => ended(await outcomes(arena)), sent);
  const all = await outcomes(arena);
  const count = (wanted: string) => all.filter((outcome) => outcome === wanted).length;
  expect(count("acknowledged again")).toBe(0);
  const received = count("acknowledged");
  const reported = count("failed") + (await arena.told("drop")).length;
  if (arena.isOurs) expect(reported).toBe(sent - received);
  return {
    ...{ sent, received, lost: sent - received, doubled: 0, outOfOrder: 0, reported },
    seconds: since(started),
    remark: `${count("waits")} callbacks never called`,
  };
}

const outcomes = async ({ lab }: Arena) => Object.values((await lab.call("look")).outcomes);

const ended = (all: readonly string[]): number => all.filter((outcome) => outcome !== "waits").length;

scenarios(
  [
    { server: "socket.io", place: "Node" },
    { server: "python-socketio", place: "Node" },
  ],
  { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 },
  {
    "acknowledgements over a drop": overDrop(0),
    "acknowledgements over a drop, with a time": overDrop(2_000),
    "acknowledgements that come too late": tooLate,
    "questions of the server": questions,
  },
);
