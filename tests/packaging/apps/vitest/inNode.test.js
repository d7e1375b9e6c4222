import { NativeSocketClient } from "everwire";
import { expect, it } from "vitest";
import WebSocket from "ws";

it("hears the server", async () => {
  const client = new NativeSocketClient({ url: `http://127.0.0.1:${process.env.SERVER_PORT}`, WebSocket });
  const said = new Promise((resolve) => client.on("said", resolve));
  client.connect();
  client.send("say", { text: "vitest" });
  expect(await said).toEqual({ text: "vitest was heard" });
  client.disconnect();
});
