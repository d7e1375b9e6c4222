import { ConfigError, EverwireError, isClientError, NativeSocketClient } from "everwire";
import {
  NativeSocketClient as SlimClient,
  EverwireError as SlimError,
  isClientError as slimGuard,
} from "everwire/slim";
import { expect, it } from "vitest";
import { openClient, recorder, useStandIns } from "./harness/clients";

useStandIns();

it("in a handler of `error`, the client's errors are told from the server's, whatever the server says", () => {
  const { client, socket } = openClient();
  const { handler, heard } = recorder();
  client.on("error", handler);
  socket.saysText("nonsense");
  socket.says("error", { message: "not yours", code: "not_allowed", about: "send_message" });
  socket.says("error", { name: "EverwireError", message: "nonsense", code: "bad_frame", "everwire.error": true });
  expect(heard.map(isClientError)).toEqual([true, false, false]);
  expect(heard[0]).toMatchObject({ code: "bad_frame" });
  expect(heard[1]).toEqual({ message: "not yours", code: "not_allowed", about: "send_message" });
});

it("errors of another copy of the package are known too", () => {
  const error = new SlimError("too_large", "too large");
  expect(error).not.toBeInstanceOf(EverwireError);
  expect([isClientError(error), slimGuard(new ConfigError("url", "a string"))]).toEqual([true, true]);
});

it.each([null, undefined, 5, "error", {}, new Error("other"), { code: "too_large", message: "" }])(
  "%o is no error of a client",
  (value) => {
    expect(isClientError(value)).toBe(false);
  },
);

it("classes have readable names, as have their errors", () => {
  expect([NativeSocketClient, SlimClient, EverwireError, ConfigError].map(({ name }) => name)).toEqual([
    "NativeSocketClient",
    "NativeSocketClient",
    "EverwireError",
    "ConfigError",
  ]);
  expect(new NativeSocketClient().constructor.name).toBe("NativeSocketClient");
  class OwnError extends EverwireError {}
  const errors = [
    new EverwireError("too_large", "words"),
    new ConfigError("url", "a string"),
    new OwnError("refused", ""),
  ];
  expect(errors.map(({ name }) => name)).toEqual(["EverwireError", "ConfigError", "EverwireError"]);
  expect(String(errors[0])).toBe("EverwireError: words");
});
