import { EverwireError, type Options } from "everwire";
import { expect, it, vi } from "vitest";
import { makeClient, useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

function connectedTo(options: Options): string {
  makeClient(options).connect();
  return StandInSocket.newest.url;
}

function refusal(act: () => void): unknown {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(EverwireError);
    return thrown;
  }
  throw new Error("the URL was accepted");
}

it("http becomes ws, https becomes wss, and the path is appended", () => {
  expect(connectedTo({ url: "http://server.test:8001" })).toBe("ws://server.test:8001/api/ws");
  expect(connectedTo({ url: "https://server.test/" })).toBe("wss://server.test/api/ws");
  expect(connectedTo({ url: "wss://server.test/app/", path: "live" })).toBe("wss://server.test/app/live");
});

it("with an empty path, the URL is the endpoint exactly", () => {
  expect(connectedTo({ url: "wss://server.test/ws", path: "" })).toBe("wss://server.test/ws");
  expect(connectedTo({ url: "https://server.test/ws/?tenant=1#part", path: "", token: "t" })).toBe(
    "wss://server.test/ws/?tenant=1&token=t",
  );
  expect(connectedTo({ url: "http://server.test", path: "/" })).toBe("ws://server.test/");
});

it("query parameters are kept, and the token is added to them percent-encoded", () => {
  expect(connectedTo({ url: "http://server.test?tenant=1", path: "/ws?v=2", token: "a+b/c=&d é" })).toBe(
    "ws://server.test/ws?tenant=1&v=2&token=a%2Bb%2Fc%3D%26d%20%C3%A9",
  );
});

it.each([undefined, ""])("with %o for a URL the page's own origin is used", (url) => {
  vi.stubGlobal("location", { origin: "https://page.test", protocol: "https:" });
  expect(connectedTo({ url })).toBe("wss://page.test/api/ws");
});

it.each(["server.test", "//server.test", "http://", "not a url"])(
  "connect() refuses %o, which is no absolute URL",
  (url) => {
    const client = makeClient({ url });
    expect(refusal(() => client.connect())).toMatchObject({
      code: "invalid_url",
      name: "EverwireError",
      message: expect.stringContaining("`url`"),
    });
    expect(StandInSocket.made).toEqual([]);
  },
);

it.each(["ftp://server.test", "file:///etc/passwd", "httpx://server.test", "javascript:alert(1)"])(
  "connect() refuses %o, which is no scheme of WebSockets",
  (url) => {
    expect(refusal(() => makeClient({ url }).connect())).toMatchObject({
      code: "invalid_url",
      message: expect.stringContaining("http://"),
    });
    expect(StandInSocket.made).toEqual([]);
  },
);

it("connect() says that there is no URL where there is no page either", () => {
  vi.stubGlobal("location", undefined);
  expect(refusal(() => makeClient({ url: undefined }).connect())).toMatchObject({ code: "invalid_url" });
});

it("a page served over https may connect unencrypted to its own machine only", () => {
  vi.stubGlobal("location", { origin: "https://page.test", protocol: "https:" });
  expect(refusal(() => makeClient({ url: "ws://server.test" }).connect())).toMatchObject({ code: "insecure_url" });
  expect(refusal(() => makeClient({ url: "http://localhost.evil.test" }).connect())).toMatchObject({
    code: "insecure_url",
  });
  expect(StandInSocket.made).toEqual([]);
  expect(connectedTo({ url: "http://localhost:8001" })).toBe("ws://localhost:8001/api/ws");
  expect(connectedTo({ url: "ws://127.0.0.1:8001" })).toBe("ws://127.0.0.1:8001/api/ws");
  expect(connectedTo({ url: "ws://[::1]:8001" })).toBe("ws://[::1]:8001/api/ws");
});

it("reconnect() refuses the same URLs, and the snapshot holds the same error until a connection opens", () => {
  const client = makeClient({ url: "nowhere" });
  const thrown = refusal(() => client.reconnect());
  expect(client.getSnapshot().error).toBe(thrown);
  expect(client.getSnapshot().error).toBeInstanceOf(EverwireError);
  expect(client.getState()).toBe("closed");
});

it("no error about a URL repeats what is in it", () => {
  const url = "ftp://user:hunter2@server.test/?token=hunter2";
  const thrown = refusal(() => makeClient({ url, token: "hunter2" }).connect()) as EverwireError;
  expect(`${thrown} ${thrown.stack} ${JSON.stringify(thrown)} ${thrown.cause}`).not.toContain("hunter2");
});
