const everwire = require("everwire");
const react = require("everwire/react");
const { durableOutbox } = require("everwire/durable");
const { typingText } = require("everwire/session");
const WebSocket = require("ws");

const client = new everwire.NativeSocketClient({ url: `http://127.0.0.1:${process.argv[2]}`, WebSocket });
client.on("said", ({ text }) => {
  const isOneCopy = react.configureWebSocket === everwire.configureWebSocket;
  console.log(text, typingText(["Ada"]), typeof durableOutbox, isOneCopy);
  client.disconnect();
});
client.connect();
client.send("say", { text: "require" });
