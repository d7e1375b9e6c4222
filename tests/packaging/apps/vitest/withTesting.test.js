import { NativeSocketClient } from "everwire";
import { TestServer } from "everwire/testing";
import { expect, it } from "vitest";

it("talks to a server in memory", async () => {
  const server = new TestServer();
  server.on("say", ({ text }) => {
    server.emit("said", { text: `${text} was heard` });
  });
  const client = new NativeSocketClient({ url: "ws://test", token: "ada", WebSocket: server.WebSocket });
  const said = new Promise((resolve) => client.on("said", resolve));
  client.connect();
  client.send("say", { text: "memory" });
  expect(await said).toEqual({ text: "memory was heard" });
  client.disconnect();
  server.close();
});
