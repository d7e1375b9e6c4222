import { ConfigError, NativeSocketClient, optionsFromEnv } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";
import { rootPath } from "./harness/paths";
import { runModule } from "./harness/run";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("the four names of the original become options", () => {
  const options = optionsFromEnv({
    VITE_BACKEND_URL: "http://localhost:8001",
    VITE_WS_RECONNECT_MAX_ATTEMPTS: "7",
    VITE_WS_RECONNECT_DELAY: "250",
    VITE_WS_HEARTBEAT_INTERVAL: "15000",
    VITE_APP_NAME: "looked at by nobody",
    DEV: true,
  });
  expect(options).toEqual({
    url: "http://localhost:8001",
    reconnect: { maxAttempts: 7, initialDelayMs: 250 },
    heartbeat: { intervalMs: 15_000 },
  });
  expect(() => new NativeSocketClient(options)).not.toThrow();
});

it("what is missing, empty or blank is left to the defaults", () => {
  expect(optionsFromEnv({})).toEqual({});
  const names = ["BACKEND_URL", "WS_RECONNECT_MAX_ATTEMPTS", "WS_RECONNECT_DELAY", "WS_HEARTBEAT_INTERVAL"];
  for (const nothing of ["", "  ", undefined, null]) {
    expect(optionsFromEnv(Object.fromEntries(names.map((name) => [`VITE_${name}`, nothing])))).toEqual({});
  }
});

it("an empty URL means the page's own origin", () => {
  vi.stubGlobal("location", { origin: "https://page.test", protocol: "https:" });
  const client = new NativeSocketClient({ ...optionsFromEnv({ VITE_BACKEND_URL: "" }), token: "t" });
  client.connect();
  expect(StandInSocket.newest.url).toBe("wss://page.test/api/ws?token=t");
  client.disconnect();
});

it.each([
  ["http://localhost:8001/api", "http://localhost:8001"],
  ["http://localhost:8001/api/", "http://localhost:8001"],
  ["https://server.test/base?tenant=5", "https://server.test/base?tenant=5"],
  ["wss://server.test/apis", "wss://server.test/apis"],
  [" https://server.test ", "https://server.test"],
])("%s is the URL %s", (given, url) => {
  expect(optionsFromEnv({ VITE_BACKEND_URL: given })).toEqual({ url });
});

it.each([
  ["VITE_WS_RECONNECT_MAX_ATTEMPTS", "0", { reconnect: { maxAttempts: 0 } }],
  ["VITE_WS_RECONNECT_MAX_ATTEMPTS", "Infinity", { reconnect: { maxAttempts: Number.POSITIVE_INFINITY } }],
  ["VITE_WS_RECONNECT_MAX_ATTEMPTS", 3, { reconnect: { maxAttempts: 3 } }],
  ["VITE_WS_RECONNECT_DELAY", "8000", { reconnect: { initialDelayMs: 8_000, maxDelayMs: 8_000 } }],
  ["VITE_WS_HEARTBEAT_INTERVAL", " 5000 ", { heartbeat: { intervalMs: 5_000 } }],
  ["VITE_WS_HEARTBEAT_INTERVAL", "Infinity", { heartbeat: { intervalMs: Number.POSITIVE_INFINITY } }],
])("%s=%s is %o, which a client takes", (name, value, options) => {
  expect(optionsFromEnv({ [name]: value })).toEqual(options);
  expect(() => new NativeSocketClient(optionsFromEnv({ [name]: value }))).not.toThrow();
});

describe("what is wrong is named by its variable:", () => {
  it.each([
    ["VITE_BACKEND_URL", "localhost:8001", "an absolute URL"],
    ["VITE_BACKEND_URL", "/api", "an absolute URL"],
    ["VITE_BACKEND_URL", "ftp://server.test", "an absolute URL"],
    ["VITE_WS_RECONNECT_MAX_ATTEMPTS", "-1", "a whole number from 0 to 4294967294, or Infinity"],
    ["VITE_WS_RECONNECT_MAX_ATTEMPTS", "five", "a whole number from 0 to 4294967294, or Infinity"],
    ["VITE_WS_RECONNECT_DELAY", "0", "a whole number from 1 to 2147483647"],
    ["VITE_WS_RECONNECT_DELAY", "1.5", "a whole number from 1 to 2147483647"],
    ["VITE_WS_RECONNECT_DELAY", "1s", "a whole number from 1 to 2147483647"],
    ["VITE_WS_RECONNECT_DELAY", "Infinity", "a whole number from 1 to 2147483647"],
    ["VITE_WS_HEARTBEAT_INTERVAL", "1e4", "a whole number from 1 to 2147483647, or Infinity"],
    ["VITE_WS_HEARTBEAT_INTERVAL", "99999999999", "a whole number from 1 to 2147483647, or Infinity"],
  ])("%s=%s", (name, value, expected) => {
    let thrown: unknown;
    try {
      optionsFromEnv({ [name]: value });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(thrown).toMatchObject({ code: "invalid_option", field: name, expected: expect.stringContaining(expected) });
  });
});

it("the environment is read when it is asked for, and not before", async () => {
  const outcome = await runModule(
    `
      const looked = [];
      process.env = new Proxy({ VITE_WS_RECONNECT_DELAY: "5" }, {
        get: (env, name) => (looked.push(String(name)), env[name]),
      });
      const { optionsFromEnv } = await import("everwire");
      const before = looked.filter((name) => name.startsWith("VITE_"));
      process.stdout.write(JSON.stringify([before, optionsFromEnv(process.env)]));
    `,
    rootPath("tests/js"),
  );
  expect(outcome).toEqual({ status: 0, output: '[[],{"reconnect":{"initialDelayMs":5}}]' });
});
