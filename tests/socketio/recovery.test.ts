import { expect } from "vitest";
import { type Scenario, scenarios } from "./harness/arena";
import { since, tally, upTo } from "./harness/figures";

/** The server has events while the client is away. */
const away: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await arena.start();
  await arena.isConnected();
  const heard = async () => (await lab.call("look")).heard;
  await server.push(user, 1, 10);
  await expect.poll(heard).toEqual(upTo(10));
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await arena.isConnected(false);
  await server.push(user, 11, 30);
  const started = performance.now();
  await proxy.heal();
  await arena.isConnected();
  await expect.poll(() => server.ask("connections", user)).toEqual({ open: 1 });
  await server.push(user, 31, 40);
  await expect.poll(async () => (await heard()).includes(40)).toBe(true);
  const { recovered } = await lab.call("state");
  const figures = tally(upTo(40), await heard());
  expect(figures).toMatchObject({ doubled: 0, outOfOrder: 0 });
  const isStored = server.kind === "socket.io with recovery" || server.kind === "socket.io cluster";
  expect({ recovered, lost: figures.lost }).toEqual(
    isStored ? { recovered: true, lost: 0 } : { recovered: false, lost: 20 },
  );
  const gaps = await arena.told("gap");
  if (arena.isOurs) expect(gaps).toHaveLength(isStored ? 0 : 1);
  const reported = gaps.length > 0 ? figures.lost : 0;
  return { ...figures, reported, seconds: since(started), remark: recovered ? "recovered" : "not recovered" };
};

/** A thousand events over 50 drops. */
const drops: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  await proxy.rule({ fault: "latency", ms: 10 });
  await arena.start({ reconnectionDelay: 20, reconnectionDelayMax: 40 });
  await arena.isConnected();
  const heard = async () => (await lab.call("look")).heard;
  // Without an offset there is nothing to recover from.
  await server.push(user, 0, 0);
  await expect.poll(heard).toEqual([0]);
  const started = performance.now();
  for (let drop = 1; drop <= 50; drop++) {
    const before = (await heard()).length;
    await server.push(user, 20 * drop - 19, 20 * drop - 10);
    await expect.poll(async () => (await heard()).length).toBeGreaterThan(before);
    await server.push(user, 20 * drop - 9, 20 * drop);
    await proxy.rule({ fault: "reset" });
    await expect.poll(async () => (await arena.told("disconnect")).length).toBe(drop);
    await arena.isConnected();
  }
  await arena.settled(async () => (await heard()).length, 1_001);
  const figures = tally(upTo(1_000), (await heard()).slice(1));
  expect(figures).toEqual({ sent: 1_000, received: 1_000, lost: 0, doubled: 0, outOfOrder: 0 });
  return { ...figures, reported: 0, seconds: since(started) };
};

/** The node that the client was connected to dies, and another one of the cluster has its session. */
const otherNode: Scenario = async (arena) => {
  const { server, proxy, lab, user } = arena;
  const other = await arena.anotherNode();
  await arena.start();
  await arena.isConnected();
  const heard = async () => (await lab.call("look")).heard;
  await other.push(user, 1, 10);
  await expect.poll(heard).toEqual(upTo(10));
  await proxy.rule({ fault: "refuse" });
  await proxy.rule({ fault: "reset" });
  await arena.isConnected(false);
  // The session is stored when the node notices that its client has gone.
  await expect.poll(() => server.ask("connections", user)).toEqual({ open: 0 });
  await other.push(user, 11, 30);
  await proxy.aim(other.origin);
  const started = performance.now();
  await proxy.heal();
  await arena.isConnected();
  await arena.settled(async () => (await heard()).length, 30);
  const { recovered } = await lab.call("state");
  const figures = tally(upTo(30), await heard());
  expect({ recovered, ...figures }).toMatchObject({ recovered: true, lost: 0, doubled: 0, outOfOrder: 0 });
  return { ...figures, reported: 0, seconds: since(started), remark: "recovered" };
};

const QUICK = { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 };

scenarios(
  [
    { server: "socket.io", place: "Node" },
    { server: "python-socketio", place: "Node" },
    { server: "socket.io with recovery", place: "Node" },
    { server: "socket.io with recovery", place: "Chromium" },
    { server: "socket.io cluster", place: "Node" },
  ],
  QUICK,
  { "20 events while away": away },
);

scenarios(
  [
    { server: "socket.io with recovery", place: "Node" },
    { server: "socket.io cluster", place: "Node" },
  ],
  QUICK,
  { "1 000 events of the server over 50 drops": drops },
);

scenarios([{ server: "socket.io cluster", place: "Node" }], QUICK, { "another node of the cluster": otherNode });
