import { seedCrypto, seededRandom } from "everwire/testing";
import { describe, expect, it } from "vitest";
import { accepted, outcome, statusesOf } from "./harness/reliable";
import { advance, clientOf, heardBy, reliable, startServer, until, useTestServers } from "./harness/testServers";

useTestServers();

/** 50 losses of the connection, at times that the seed of the test repeats. */
function fiftyDrops(): { at: number; drop: true }[] {
  const random = seededRandom(50);
  let at = 0;
  return Array.from({ length: 50 }, () => {
    at += 2 + Math.floor(random() * 4_000);
    return { at, drop: true };
  });
}

describe("a script of faults, in virtual time", () => {
  it("a reliable client loses and doubles nothing over 50 drops, in both directions", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.delay([5, 200]);
    server.faults.script(fiftyDrops());
    const sent = Array.from({ length: 400 }, (_, n) => n);
    for (const n of sent) {
      accepted(client.send("note", { n }));
      server.emit("notification", { n });
      await advance(250);
    }
    await until(() => heard.length === sent.length && server.received("note").length === sent.length);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual(sent);
    expect(heard.map(({ n }) => n)).toEqual(sent);
    expect(new Set(server.received("note").map(({ connection }) => connection.id)).size).toBeGreaterThan(10);
    expect(client.getSnapshot().protocolErrors).toBe(0);
    await server.settled();
  });

  it("at most once, what is under way at a drop is lost, and nothing is doubled", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.faults.delay([5, 200]);
    server.faults.script(fiftyDrops());
    const sent = Array.from({ length: 400 }, (_, n) => n);
    for (const n of sent) {
      accepted(client.send("note", { n }));
      await advance(250);
    }
    await until(() => client.getSnapshot().queued === 0);
    await advance(1_000);
    const received = server.received("note").map(({ data }) => data["n"] as number);
    expect(received.length).toBeLessThan(sent.length);
    expect(received.length).toBeGreaterThan(sent.length / 2);
    expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  });

  it("is the same with the same seed", async () => {
    const play = async () => {
      const crypto = seedCrypto(7);
      const server = startServer({ seed: 3 });
      const client = clientOf("ada", { ...reliable, reconnect: { jitter: 1, maxAttempts: 100 } });
      await server.connection();
      const begun = performance.now();
      const times: number[] = [];
      client.on("reconnecting", ({ delayMs }) => times.push(performance.now() - begun, delayMs));
      server.faults.delay([1, 400]);
      server.faults.script(fiftyDrops().slice(0, 10));
      await advance(60_000);
      crypto.restore();
      client.dispose();
      return [times, server.transcript().map((line) => line.replace(/"timestamp":("[^"]*"|\d+)/g, ""))];
    };
    const [first, second] = [await play(), await play()];
    expect(first[0]?.length).toBeGreaterThan(5);
    expect(second).toEqual(first);
  });

  it("a step that names no fault is refused", () => {
    const { faults } = startServer();
    expect(() => faults.script([{ at: 5 }])).toThrow("a step of a fault script needs `at`");
    expect(() => faults.script([{ at: 5, explode: true } as never])).toThrow("there is no fault `explode`");
  });

  it("what is left of a script can be cancelled", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    const cancel = server.faults.script([
      { at: 100, close: 1001 },
      { at: 10_000, drop: true },
    ]);
    await advance(5_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", close: { code: 1001 } });
    cancel();
    await advance(10_000);
    expect(client.getSnapshot().close?.code).toBe(1001);
  });
});

describe("one fault", () => {
  it("lost acknowledgements: processed once, and the client learns it from the next welcome", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.loseAcks();
    const message = accepted(client.send("note", { n: 1 }));
    await server.settled();
    expect([message.status, server.received("note").length]).toEqual(["sent", 1]);
    await until(() => message.status === "acknowledged");
    expect(server.received("note")).toHaveLength(1);
    expect(client.getSnapshot().close?.cause).toBe("ack_timeout");
  });

  it("a frame that a proxy swallows is noticed by the numbers", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await server.connection();
    server.faults.dropNextFrame({ type: "notification" });
    server.faults.dropNextFrame({ from: "client", type: "note" });
    for (const n of [1, 2]) {
      client.send("note", { n });
      server.emit("notification", { n });
    }
    await until(() => heard.length === 2 && server.received("note").length === 2);
    expect(heard.map(({ n }) => n)).toEqual([1, 2]);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual([1, 2]);
  });

  it("a silent server is found dead by its missing pong", async () => {
    const server = startServer();
    const client = clientOf("ada", { heartbeat: { intervalMs: 30_000, timeoutMs: 10_000 } });
    await server.connection();
    await advance(31_000);
    expect(client.getSnapshot().lastRttMs).toBe(0);
    server.faults.silence();
    await advance(39_999);
    expect(client.getSnapshot()).toMatchObject({ close: { cause: "pong_timeout" } });
    server.faults.speak();
    await advance(10_000);
    expect(client.isConnected()).toBe(true);
  });

  it("refused connections are tried again after 1, 2 and 4 seconds", async () => {
    const server = startServer();
    server.faults.refuseConnections(3);
    const client = clientOf("ada");
    const delays: number[] = [];
    client.on("reconnecting", ({ delayMs }) => delays.push(delayMs));
    await advance(6_999);
    expect([delays, client.isConnected()]).toEqual([[1_000, 2_000, 4_000], false]);
    await advance(1);
    expect(client.isConnected()).toBe(true);
  });

  it("connections are taken again once their refusal is ended, also by a script", async () => {
    const server = startServer();
    server.faults.refuseConnections(1_000);
    const client = clientOf("ada");
    await advance(7_000);
    expect(client.isConnected()).toBe(false);
    server.faults.refuseConnections(0);
    await advance(8_000);
    expect(client.isConnected()).toBe(true);
    server.faults.script([
      { at: 0, refuse: 1_000, drop: true },
      { at: 500, refuse: 0 },
    ]);
    await advance(6_000);
    expect(client.isConnected()).toBe(true);
  });

  it("a refused token is asked for once more, and then the client stops", async () => {
    const server = startServer();
    server.faults.refuseConnections(2, { code: 1008 });
    const asked: boolean[] = [];
    const client = clientOf("ada", {
      token: ({ refused }) => {
        asked.push(refused);
        return "ada";
      },
    });
    await advance(20_000);
    expect([asked, client.getSnapshot().phase]).toEqual([[false, true], "fatal"]);
  });

  it("latency shows in the round-trip time, and frames stay in order", async () => {
    const server = startServer();
    server.faults.delay(70);
    const client = clientOf("ada", reliable);
    const heard = heardBy(client, "notification");
    await advance(1_000);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", lastRttMs: 140 });
    server.faults.delay([0, 500]);
    for (let n = 0; n < 20; n++) server.emit("notification", { n });
    await advance(1_000);
    expect(heard.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it("a message is refused before anybody sees it", async () => {
    const server = startServer({ dialect: "masterx" });
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.refuseMessages({ type: "join_session", code: "too_many_sessions" });
    const refused = accepted(client.send("join_session", { session_id: "s1" }));
    expect(await outcome(refused.done())).toBe("refused");
    expect(server.refused().map(({ type, code }) => [type, code])).toEqual([["join_session", "too_many_sessions"]]);
    expect(server.members("s1")).toEqual([]);
  });

  it("who leaves on one device is a member on the other, until that one has left too or is away", async () => {
    for (const options of [reliable, {}]) {
      const server = startServer({ dialect: "masterx" });
      const laptop = clientOf("ada", options);
      const phone = clientOf("ada", options);
      await server.settled();
      for (const client of [laptop, phone]) accepted(client.send("join_session", { session_id: "s1" }));
      await advance(100);
      accepted(laptop.send("leave_session", { session_id: "s1" }));
      await advance(100);
      expect(server.members("s1")).toEqual(["ada"]);
      accepted(phone.send("message_sent", { session_id: "s1", message: { id: "1", content: "hi" } }));
      await advance(100);
      expect(server.refused()).toEqual([]);
      accepted(laptop.send("join_session", { session_id: "s1" }));
      await advance(100);
      phone.disconnect();
      await advance(100);
      expect(server.members("s1")).toEqual(["ada"]);
      accepted(laptop.send("leave_session", { session_id: "s1" }));
      await advance(100);
      expect(server.members("s1")).toEqual([]);
    }
  });

  it("offline without an announcement is noticed by the heartbeat, and online by the next attempt", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    server.faults.offline({ announced: false });
    const message = accepted(client.send("note", {}));
    await advance(45_000);
    expect([client.isConnected(), message.status, server.connections.length]).toEqual([false, "sent", 0]);
    server.faults.online();
    await until(() => message.status === "acknowledged");
    expect(server.received("note")).toHaveLength(1);
  });
});

describe("a server that restarts", () => {
  it("with its memory goes on where it was", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const gaps = heardBy(client, "gap");
    await server.connection();
    const statuses = statusesOf(accepted(client.send("note", { n: 1 })));
    server.faults.restart({ downMs: 3_000 });
    server.emit("notification", { n: 1 });
    await until(() => statuses.at(-1) === "acknowledged");
    expect([server.received("note").length, gaps]).toEqual([1, []]);
  });

  it("twice at once is away until both are over", async () => {
    const server = startServer();
    const client = clientOf("ada");
    await server.connection();
    server.faults.restart({ downMs: 10_000 });
    server.faults.restart({ downMs: 2_000 });
    await advance(9_000);
    expect(client.isConnected()).toBe(false);
    await advance(10_000);
    expect(client.isConnected()).toBe(true);
  });

  it("with another database: a gap without an end, and what is unacknowledged is sent again", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const [gaps, heard] = [heardBy(client, "gap"), heardBy(client, "notification")];
    await server.connection();
    server.emit("notification", { n: 1 });
    await accepted(client.send("note", { n: 1 })).done();
    server.faults.dropNextFrame({ from: "client", type: "note" });
    const lost = accepted(client.send("note", { n: 2 }));
    await server.settled();
    server.faults.restart({ forget: "everything" });
    await until(() => lost.status === "acknowledged");
    server.emit("notification", { n: 2 });
    await server.settled();
    expect(gaps).toContainEqual({ stream: "user", from: 2, to: null });
    expect(heard.map(({ n }) => n)).toEqual([1, 2]);
    expect(server.received("note").map(({ data }) => data["n"])).toEqual([1, 2]);
  });

  it("that has forgotten its clients cannot say what became of a message: it is dropped as unconfirmed", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    await server.connection();
    await accepted(client.send("note", { n: 1 })).done();
    server.faults.loseAcks();
    const unknown = accepted(client.send("note", { n: 2 }));
    await server.settled();
    server.faults.restart({ forget: "clients" });
    const reason = outcome(unknown.done());
    await until(() => unknown.status === "failed");
    expect(await reason).toBe("unconfirmed");
    expect(server.received("note")).toHaveLength(2);
  });

  it("history that has run out is named as a gap", async () => {
    const server = startServer();
    const client = clientOf("ada", reliable);
    const [gaps, heard] = [heardBy(client, "gap"), heardBy(client, "notification")];
    await server.connection();
    server.faults.drop();
    for (const n of [1, 2, 3]) server.emit("notification", { n });
    server.forgetEvents("ada", 2);
    await until(() => heard.length > 0);
    expect([gaps, heard]).toEqual([[{ stream: "user", from: 1, to: 2 }], [{ n: 3 }]]);
  });
});
