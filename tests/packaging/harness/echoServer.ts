import type { AddressInfo } from "node:net";
import { type RawData, WebSocketServer } from "ws";
import { closeLater } from "./resources";

/** Starts a server that answers each ping, and each `say` with `said`; its port is what the applications are told. */
export async function startEchoServer(): Promise<number> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    const tell = (type: string, data: object) => socket.send(JSON.stringify({ type, data, timestamp: Date.now() }));
    socket.on("message", (raw: RawData) => {
      const { type, data } = JSON.parse(String(raw)) as { type: string; data: { text?: string } };
      if (type === "ping") tell("pong", {});
      if (type === "say") tell("said", { text: `${data.text} was heard` });
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  closeLater(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
