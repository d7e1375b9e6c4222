import WebSocket from "ws";

/** The status of a handshake; what is opened is closed at once. */
export function handshake(
  origin: string,
  path: string,
  options: WebSocket.ClientOptions = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${origin}${path}`, options);
    socket.once("error", reject);
    socket.once("unexpected-response", (_, answer) => resolve(answer.statusCode));
    socket.once("open", () => {
      socket.once("close", () => resolve(101));
      socket.close();
    });
  });
}
