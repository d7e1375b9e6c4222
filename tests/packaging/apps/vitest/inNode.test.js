import { NativeSocketClient } from "everwire";
import { expect, it, vi } from "vitest";
import WebSocket from "ws";

it("hears the server", async () => {
  const client = new NativeSocketClient({ url: `http://127.0.0.1:${process.env.SERVER_PORT}`, WebSocket });
  const said = new Promise((resolve) => client.on("said", resolve));
  client.connect();
  client.send("say", { text: "vitest" });
  expect(await said).toEqual({ text: "vitest was heard" });
  client.disconnect();
});

it("gets the development build, which names options that do not exist", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  new NativeSocketClient({ reconnct: {} });
  expect(warn).toHaveBeenCalledWith(expect.stringContaining("reconnct"));
});
