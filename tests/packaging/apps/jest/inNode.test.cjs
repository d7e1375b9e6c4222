/** @jest-environment node */
const { NativeSocketClient } = require("everwire");
const WebSocket = require("ws");

test("hears the server", async () => {
  const client = new NativeSocketClient({ url: `http://127.0.0.1:${process.env.SERVER_PORT}`, WebSocket });
  const said = new Promise((resolve) => client.on("said", resolve));
  client.connect();
  client.send("say", { text: "jest" });
  expect(await said).toEqual({ text: "jest was heard" });
  client.disconnect();
});
