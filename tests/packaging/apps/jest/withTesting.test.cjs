/** @jest-environment jsdom */
const { NativeSocketClient } = require("everwire");
const { TestServer } = require("everwire/testing");

test("talks to a server in memory, under fake timers", async () => {
  jest.useFakeTimers();
  const server = new TestServer().install();
  server.on("say", ({ text }) => {
    server.emit("said", { text: `${text} was heard` });
  });
  const client = new NativeSocketClient({ url: "ws://test", token: "ada" });
  const said = new Promise((resolve) => client.on("said", resolve));
  client.connect();
  client.send("say", { text: "memory" });
  await jest.advanceTimersByTimeAsync(100);
  expect(await said).toEqual({ text: "memory was heard" });
  client.disconnect();
  server.close();
});
