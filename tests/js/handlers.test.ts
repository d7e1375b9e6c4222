import { EverwireError } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { StandInSocket, SynchronousSocket } from "./harness/standInSocket";

useStandIns();

describe("subscribing", () => {
  it("calls every handler of an event in the order they came", () => {
    const { client, socket } = openClient();
    const order: string[] = [];
    client.on("greeting", () => order.push("first"));
    client.on("greeting", () => order.push("second"));
    client.on("other", () => order.push("other"));
    socket.says("greeting");
    expect(order).toEqual(["first", "second"]);
  });

  it("returns a function that ends exactly one subscription, however often it is called", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const off = client.on("greeting", handler);
    client.on("greeting", handler);
    off();
    off();
    socket.says("greeting");
    expect(heard).toHaveLength(1);
  });

  it("off() with a handler removes it wherever it was subscribed to that event, and nothing else", () => {
    const { client, socket } = openClient();
    const removed = recorder();
    const kept = recorder();
    client.on("greeting", removed.handler);
    client.on("greeting", removed.handler);
    client.on("greeting", kept.handler);
    client.on("other", removed.handler);
    client.off("greeting", removed.handler);
    socket.says("greeting");
    socket.says("other");
    expect([removed.heard.length, kept.heard.length]).toEqual([1, 1]);
  });

  it("off() without a handler removes all of that event", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    client.on("greeting", handler);
    client.on("greeting", () => handler("again"));
    client.off("greeting");
    client.off("never subscribed");
    socket.says("greeting");
    expect(heard).toEqual([]);
  });

  it("outlives disconnects and reconnects", () => {
    const { client } = openClient();
    const { handler, heard } = recorder();
    client.on("greeting", handler);
    client.disconnect();
    client.connect();
    StandInSocket.newest.opens();
    StandInSocket.newest.says("greeting");
    expect(heard).toHaveLength(1);
  });
});

describe("once()", () => {
  it("hears the first event of its name, with its message, and no other", () => {
    const { client, socket } = openClient();
    const heard: unknown[] = [];
    client.once("greeting", (data, { timestamp }) => heard.push(data, timestamp));
    socket.says("other");
    socket.says("greeting", { n: 1 }, { timestamp: 5 });
    socket.says("greeting", { n: 2 }, { timestamp: 6 });
    expect(heard).toEqual([{ n: 1 }, 5]);
  });

  it("ends before that with what it returns, and with off()", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const end = client.once("greeting", handler);
    end();
    client.once("greeting", handler);
    client.off("greeting", handler);
    socket.says("greeting");
    expect(heard).toEqual([]);
  });

  it("has ended when its handler is called, which may throw, and may wait for the next", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const failures = recorder();
    client.on("error", failures.handler);
    client.once("greeting", (data) => {
      handler(data);
      socket.says("greeting", { n: 2 });
      client.once("greeting", handler);
      throw new Error("unwell");
    });
    client.on("greeting", handler);
    socket.says("greeting", { n: 1 });
    expect(heard).toEqual([{ n: 1 }, { n: 2 }, { n: 1 }]);
    socket.says("greeting", { n: 3 });
    expect(heard.slice(3)).toEqual([{ n: 3 }, { n: 3 }]);
    expect(failures.heard).toMatchObject([{ code: "handler_failed", event: "greeting" }]);
  });

  it("hears an event of the client itself", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    client.once("close", handler);
    socket.ends(1001);
    vi.advanceTimersByTime(5_000);
    StandInSocket.newest.ends(1001);
    expect(heard).toMatchObject([{ code: 1001 }]);
  });
});

describe("onAny()", () => {
  it("hears every event of the server before its own handlers, and none of the client's", () => {
    const { client, socket } = openClient();
    const order: unknown[] = [];
    client.on("greeting", () => order.push("its own"));
    client.onAny((event, data, message) => order.push([event, data, message.timestamp]));
    socket.says("greeting", { n: 1 }, { timestamp: 5 });
    socket.says("unknown");
    socket.says("error", { message: "not you" });
    socket.saysText("nonsense");
    socket.says("open");
    socket.ends();
    expect(order).toEqual([
      ["greeting", { n: 1 }, 5],
      "its own",
      ["unknown", {}, undefined],
      ["error", { message: "not you" }, undefined],
    ]);
  });

  it("ends with what it returns, also during a delivery, and no other way", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const endFirst = client.onAny((event) => {
      handler(`first ${event}`);
      endFirst();
      endSecond();
    });
    const endSecond = client.onAny((event) => handler(`second ${event}`));
    client.onAny((event) => handler(`third ${event}`));
    socket.says("greeting");
    client.off("greeting");
    socket.says("greeting");
    expect(heard).toEqual(["first greeting", "third greeting", "third greeting"]);
  });

  it("stops nothing when its handler throws, and is reported with the event's name", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    const failures = recorder();
    client.on("error", failures.handler);
    client.on("greeting", handler);
    client.onAny(() => {
      throw new Error("unwell");
    });
    socket.says("greeting");
    expect(heard).toHaveLength(1);
    expect(failures.heard).toMatchObject([{ code: "handler_failed", event: "greeting" }]);
  });

  it("is over when the client is disposed of", () => {
    const { client, socket } = openClient();
    const { handler, heard } = recorder();
    client.onAny(handler);
    const hear = socket.onmessage;
    client.dispose();
    hear?.({ data: '{"type":"greeting"}' });
    expect(heard).toEqual([]);
  });
});

describe("a handler that throws", () => {
  const cause = new RangeError("handler is unwell");
  const fail = () => {
    throw cause;
  };

  it("stops no other handler, and is reported with its event and what it threw", () => {
    const { client, socket } = openClient();
    const others = recorder();
    const errors = recorder();
    client.on("greeting", fail);
    client.on("greeting", others.handler);
    client.on("error", errors.handler);
    socket.says("greeting");
    expect(others.heard).toHaveLength(1);
    expect(errors.heard).toHaveLength(1);
    expect(errors.heard[0]).toBeInstanceOf(EverwireError);
    expect(errors.heard[0]).toMatchObject({ code: "handler_failed", event: "greeting", cause });
    expect(client.isConnected()).toBe(true);
  });

  it("is reported to the page when nobody handles errors", () => {
    const reportError = vi.fn();
    vi.stubGlobal("reportError", reportError);
    const { client, socket } = openClient();
    client.on("greeting", fail);
    socket.says("greeting");
    expect(reportError.mock.calls).toEqual([[cause]]);
  });

  it("is reported on the console where the page has no other way", () => {
    vi.stubGlobal("reportError", undefined);
    const console = vi.spyOn(globalThis.console, "error").mockReturnValue();
    const { client, socket } = openClient();
    client.on("greeting", fail);
    socket.says("greeting");
    expect(console.mock.calls).toEqual([[cause]]);
  });

  it("is not called with its own exception when it handles errors", () => {
    const reportError = vi.fn();
    vi.stubGlobal("reportError", reportError);
    const { client, socket } = openClient();
    const handler = vi.fn(fail);
    const others = recorder();
    client.on("error", handler);
    client.on("error", others.handler);
    socket.saysText("nonsense");
    expect(handler).toHaveBeenCalledTimes(1);
    expect(others.heard).toHaveLength(1);
    expect(reportError.mock.calls).toEqual([[cause]]);
  });

  it.each(["open", "state", "close"])("does not hold up the connection when the event is %s", (event) => {
    const errors = recorder();
    const client = makeClient();
    client.on(event, fail);
    client.on("error", errors.handler);
    client.connect();
    StandInSocket.newest.opens();
    expect(client.isConnected()).toBe(true);
    StandInSocket.newest.ends();
    vi.advanceTimersByTime(5_000);
    StandInSocket.newest.opens();
    expect(client.isConnected()).toBe(true);
    expect(errors.heard[0]).toMatchObject({ code: "handler_failed", event });
  });

  it("may throw something that is no error at all", () => {
    const { client, socket } = openClient();
    const errors = recorder();
    client.on("error", errors.handler);
    client.on("greeting", () => {
      throw undefined;
    });
    socket.says("greeting");
    expect(errors.heard).toMatchObject([{ code: "handler_failed", event: "greeting" }]);
  });
});

describe.each([
  ["that calls back later", StandInSocket],
  ["that calls back at once", SynchronousSocket],
])("inside a handler, with a socket %s,", (_, Socket) => {
  function open() {
    vi.stubGlobal("WebSocket", Socket);
    return openClient();
  }

  it("a subscription ends at once, one's own and another's", () => {
    const { client, socket } = open();
    const order: string[] = [];
    const endFirst = client.on("greeting", () => {
      order.push("first");
      endFirst();
      endSecond();
    });
    const endSecond = client.on("greeting", () => order.push("second"));
    client.on("greeting", () => order.push("third"));
    socket.says("greeting");
    socket.says("greeting");
    expect(order).toEqual(["first", "third", "third"]);
  });

  it("a new subscription begins with the next event", () => {
    const { client, socket } = open();
    const { handler, heard } = recorder();
    client.on("greeting", () => client.on("greeting", handler));
    socket.says("greeting");
    expect(heard).toEqual([]);
    socket.says("greeting");
    expect(heard).toHaveLength(1);
  });

  it("a message is sent at once", () => {
    const { client, socket } = open();
    client.on("greeting", () => expect(client.send("answer", {})).toEqual({ status: "sent" }));
    socket.says("greeting");
    expect(socket.types).toEqual(["answer"]);
  });

  it("a message sent on `open` goes out after what was queued", () => {
    vi.stubGlobal("WebSocket", Socket);
    const client = makeClient();
    client.send("queued");
    client.on("open", () => client.send("sent on open"));
    client.connect();
    StandInSocket.newest.opens();
    expect(StandInSocket.newest.types).toEqual(["queued", "sent on open"]);
  });

  it("the client can be disconnected, and the other handlers still run", () => {
    const { client, socket } = open();
    const { handler, heard } = recorder();
    client.on("greeting", () => client.disconnect());
    client.on("greeting", handler);
    socket.says("greeting");
    expect(heard).toHaveLength(1);
    expect(socket.closedWith).toBe(1000);
    if (socket.readyState !== 3) socket.ends(1000);
    expect(client.getSnapshot()).toMatchObject({ state: "closed", phase: "idle" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("the client can be reconnected, and there is never more than one live socket", () => {
    const { client, socket } = open();
    client.on("greeting", () => client.reconnect());
    socket.says("greeting");
    expect(StandInSocket.live).toEqual([StandInSocket.newest]);
    expect(StandInSocket.newest).not.toBe(socket);
    StandInSocket.newest.opens();
    expect(client.isConnected()).toBe(true);
  });

  it("the client can be disconnected while it is told that it is open", () => {
    vi.stubGlobal("WebSocket", Socket);
    const client = makeClient();
    client.on("open", () => client.disconnect());
    client.connect();
    StandInSocket.newest.opens();
    if (StandInSocket.newest.readyState !== 3) StandInSocket.newest.ends(1000);
    expect(client.getSnapshot()).toMatchObject({ phase: "idle", close: { code: 1000 } });
    expect(StandInSocket.made).toHaveLength(1);
  });
});

it("news arrive in the order in which they happened, also those that a handler causes", () => {
  const client = makeClient();
  const order: string[] = [];
  client.on("state", ({ phase }) => order.push(phase));
  client.on("state", ({ phase }) => {
    if (phase === "open") client.disconnect();
  });
  client.on("open", () => order.push("opened"));
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.ends(1000);
  expect(order.filter((entry) => entry !== "opened")).toEqual(["connecting", "open", "closing", "idle"]);
  expect(order.indexOf("opened")).toBeLessThan(order.indexOf("closing"));
});

it("a server that answers inside send() is heard after send() has decided", () => {
  vi.stubGlobal("WebSocket", SynchronousSocket);
  const { client } = openClient();
  const { handler, heard } = recorder();
  client.on("echoed", handler);
  expect(client.send("echo", { n: 1 })).toEqual({ status: "sent" });
  expect(heard).toEqual([{ n: 1 }]);
});
