import type * as Everwire from "everwire";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

/** The package as a page that has just been loaded has it. */
let everwire: typeof Everwire;
beforeEach(async () => {
  vi.resetModules();
  everwire = await import("everwire");
});
afterEach(() => {
  everwire.nativeSocketClient.disconnect();
});

describe("the page's client", () => {
  it("is made with its first use, with the options that were configured", () => {
    const { configureWebSocket, nativeSocketClient } = everwire;
    configureWebSocket({ url: "http://configured.test", token: "t" });
    nativeSocketClient.connect();
    expect(StandInSocket.made.map(({ url }) => url)).toEqual(["ws://configured.test/api/ws?token=t"]);
  });

  it("is a client like any other", () => {
    const { configureWebSocket, NativeSocketClient, nativeSocketClient } = everwire;
    configureWebSocket({ url: "http://server.test" });
    expect(nativeSocketClient).toBeInstanceOf(NativeSocketClient);
    const heard = vi.fn();
    const end = nativeSocketClient.on("greeting", heard);
    nativeSocketClient.connect();
    expect(nativeSocketClient.getState()).toBe("connecting");
    StandInSocket.newest.opens();
    StandInSocket.newest.says("greeting", { text: "hello" });
    expect(heard).toHaveBeenCalledExactlyOnceWith({ text: "hello" }, expect.anything());
    expect(nativeSocketClient.isConnected()).toBe(true);
    expect(nativeSocketClient.send("anything").status).toBe("sent");
    expect(nativeSocketClient.getSnapshot()).toBe(nativeSocketClient.getSnapshot());
    end();
    StandInSocket.newest.says("greeting", { text: "hello" });
    expect(heard).toHaveBeenCalledTimes(1);
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(NativeSocketClient.prototype));
    for (const name of own) expect(Reflect.get(nativeSocketClient, name), name).toBeTypeOf("function");
  });

  it("has methods that keep their identity and need no `this`", () => {
    const { configureWebSocket, nativeSocketClient } = everwire;
    configureWebSocket({ url: "http://server.test" });
    const { connect, getState } = nativeSocketClient;
    expect(nativeSocketClient.connect).toBe(connect);
    connect();
    expect(getState()).toBe("connecting");
  });

  it("refuses options that cannot be used with its first use, and says which", () => {
    const { ConfigError, configureWebSocket, nativeSocketClient } = everwire;
    configureWebSocket({ connectTimeoutMs: 0 });
    expect(() => nativeSocketClient.getState()).toThrow(ConfigError);
    configureWebSocket({ connectTimeoutMs: 1 });
    expect(nativeSocketClient.getState()).toBe("closed");
  });
});
