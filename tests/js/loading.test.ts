import { readFileSync } from "node:fs";
import type { EverwireError } from "everwire";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { packagePath } from "./harness/paths";

type Default = typeof import("everwire");
type Slim = typeof import("everwire/slim");

const bytes = () => new Uint8Array(readFileSync(packagePath("dist/everwire_bg.wasm")));

/** A fresh copy of the package, as on a page that was just loaded. */
beforeEach(() => {
  vi.resetModules();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function failWith(method: "Module" | "compile", error: Error): void {
  vi.stubGlobal("WebAssembly", {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]),
    ),
    [method]: function refuse() {
      throw error;
    },
  });
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}

/** What browsers throw on a page with `Content-Security-Policy: script-src 'self'`. */
const BLOCKED: [browser: string, error: Error][] = [
  [
    "Chromium",
    new WebAssembly.CompileError(
      "WebAssembly.Module(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\".",
    ),
  ],
  [
    "older Chromium",
    new WebAssembly.CompileError(
      "WebAssembly.Module(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"",
    ),
  ],
  ["Firefox", new WebAssembly.CompileError("call to WebAssembly.Module() blocked by CSP")],
  [
    "Safari",
    new EvalError(
      "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\".",
    ),
  ],
];

describe("the default entry", () => {
  it.each(BLOCKED)("names 'wasm-unsafe-eval' when %s blocks WebAssembly", async (_, cause) => {
    failWith("Module", cause);
    const { NativeSocketClient, EverwireError } = (await import("everwire")) as Default;
    const thrown = thrownBy(() => new NativeSocketClient());
    expect(thrown).toBeInstanceOf(EverwireError);
    expect(thrown).toMatchObject({
      code: "wasm_blocked",
      cause,
      message: expect.stringContaining("'wasm-unsafe-eval'"),
    });
  });

  it("says to await ready() where only asynchronous compilation is allowed, which then helps", async () => {
    const cause = new RangeError(
      "WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 8MB",
    );
    failWith("Module", cause);
    const { NativeSocketClient, ready } = (await import("everwire")) as Default;
    expect(thrownBy(() => new NativeSocketClient())).toMatchObject({
      code: "wasm_too_large",
      cause,
      message: expect.stringContaining("await ready()"),
    });
    vi.unstubAllGlobals();
    await ready();
    expect(new NativeSocketClient().getState()).toBe("closed");
  });

  it("ready() may be awaited before, after and many times", async () => {
    const { NativeSocketClient, ready } = (await import("everwire")) as Default;
    await Promise.all([ready(), ready()]);
    expect(new NativeSocketClient().getState()).toBe("closed");
    await ready();
  });

  it("ready() rejects with the same explanation", async () => {
    failWith("compile", BLOCKED[2]?.[1] ?? new Error());
    const { ready } = (await import("everwire")) as Default;
    await expect(ready()).rejects.toMatchObject({ code: "wasm_blocked" });
  });

  it("says that the module did not load, and why, for any other reason", async () => {
    const cause = new WebAssembly.CompileError("expected magic word");
    failWith("Module", cause);
    const { NativeSocketClient } = (await import("everwire")) as Default;
    expect(thrownBy(() => new NativeSocketClient())).toMatchObject({
      code: "wasm_failed",
      cause,
      message: expect.stringContaining("expected magic word"),
    });
  });

  it("compiles once for all clients", async () => {
    const { NativeSocketClient } = (await import("everwire")) as Default;
    new NativeSocketClient();
    failWith("Module", new Error("compiled again"));
    expect(new NativeSocketClient().getState()).toBe("closed");
  });
});

describe("the slim entry", () => {
  const slim = async () => (await import("everwire/slim")) as Slim;
  const file = () => new Response(bytes(), { headers: { "content-type": "application/wasm" } });

  it("makes no client before init(), and says what to do", async () => {
    const { NativeSocketClient, EverwireError } = await slim();
    const thrown = thrownBy(() => new NativeSocketClient());
    expect(thrown).toBeInstanceOf(EverwireError);
    expect(thrown).toMatchObject({ code: "not_ready", message: expect.stringContaining("await init()") });
  });

  it.each([
    ["bytes", () => bytes()],
    ["a buffer", () => bytes().buffer],
    ["a compiled module", () => new WebAssembly.Module(bytes())],
    ["a response", () => file()],
    ["a promise of a response", () => Promise.resolve(file())],
  ])("can be given %s", async (_, source) => {
    const { NativeSocketClient, init } = await slim();
    await init(source());
    expect(new NativeSocketClient().getState()).toBe("closed");
  });

  it("can be given a URL, and without one takes the file beside it", async () => {
    const fetched: string[] = [];
    vi.stubGlobal("fetch", async (url: string | URL) => {
      fetched.push(String(url));
      return file();
    });
    await (await slim()).init("https://cdn.test/everwire.wasm");
    vi.resetModules();
    await (await slim()).init();
    expect(fetched).toEqual(["https://cdn.test/everwire.wasm", expect.stringMatching(/\/dist\/everwire_bg\.wasm$/)]);
  });

  it("loads once, however often it is asked", async () => {
    const { init } = await slim();
    const first = init(bytes());
    expect(init()).toBe(first);
    await first;
  });

  it.each<[string, () => Parameters<Slim["init"]>[0], string, string]>([
    ["a page that is not there", () => new Response("", { status: 404 }), "wasm_failed", "404"],
    ["a page that is no module", () => new Response("<!doctype html>"), "wasm_failed", "magic"],
    [
      "an address that nothing answers",
      () => Promise.reject(new TypeError("fetch failed")),
      "wasm_failed",
      "fetch failed",
    ],
  ])("rejects %s, and may then be asked again", async (_, source, code, reason) => {
    const { NativeSocketClient, EverwireError, init } = await slim();
    const error = await init(source()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EverwireError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(reason) });
    await init(bytes());
    expect(new NativeSocketClient().getState()).toBe("closed");
  });

  it.each<[string, () => Promise<Response>, string]>([
    ["a page that is not there", async () => new Response("", { status: 404 }), "HTTP 404"],
    ["a page that is no module", async () => new Response("<!doctype html>"), "magic"],
    ["an address that nothing answers", () => Promise.reject(new TypeError("fetch failed")), "fetch failed"],
  ])("names the URL of %s", async (_, answer, reason) => {
    vi.stubGlobal("fetch", answer);
    const { init } = await slim();
    const url = "https://cdn.test/everwire.wasm";
    for (const [source, tried] of [
      [new URL(url), url],
      [undefined, "/dist/everwire_bg.wasm"],
    ] as const) {
      const thrown: unknown = await init(source).catch((cause: unknown) => cause);
      const { code, message } = thrown as EverwireError;
      expect([code, message]).toEqual(["wasm_failed", expect.stringContaining(tried)]);
      expect(message).toContain(reason);
    }
  });

  it.each(BLOCKED)("names 'wasm-unsafe-eval' when %s blocks WebAssembly", async (_, cause) => {
    failWith("compile", cause);
    const { init } = await slim();
    await expect(init(bytes())).rejects.toMatchObject({
      code: "wasm_blocked",
      message: expect.stringContaining("'wasm-unsafe-eval'"),
    });
  });

  it("has errors of its own classes that work with instanceof", async () => {
    const { ConfigError, EverwireError, NativeSocketClient, init } = await slim();
    await init(bytes());
    const thrown = thrownBy(() => new NativeSocketClient({ connectTimeoutMs: 0 }));
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(thrown).toBeInstanceOf(EverwireError);
  });
});
