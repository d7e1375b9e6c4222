import { io, Manager, type Socket } from "everwire/socket.io";
import { expect, it } from "vitest";

/** What the server sends; the same maps as those of npm `socket.io`. */
interface FromServer {
  said(text: string, by: { readonly id: number }): void;
  asked(question: string, answer: (text: string) => void): void;
}

interface ToServer {
  say(text: string): void;
  ask(question: string, answer: (text: string, at: number) => void): void;
}

/** Is compiled and never called: the compiler is who checks it. */
export function typed(socket: Socket<FromServer, ToServer>): void {
  socket.on("said", (text, by) => text.length + by.id);
  socket.on("asked", (question, answer) => answer(question));
  socket.on("connect_error", (error) => error.message.length + (error.close?.code ?? 0));
  socket.on("disconnect", (reason) => reason satisfies Socket.DisconnectReason);
  // @ts-expect-error The server sends no such event.
  socket.on("say", () => {});
  // @ts-expect-error Its first argument is a text.
  socket.on("said", (text: number) => text);
  socket.emit("say", "hello");
  // @ts-expect-error It has to say something.
  socket.emit("say");
  // @ts-expect-error A number is no text.
  socket.emit("say", 1);
  socket.emit("ask", "why", (text, at) => text.length + at);
  socket.timeout(100).emit("ask", "why", (error, text, at) => error.message + text.length + at);
  socket.emitWithAck("ask", "why").then((answer) => answer satisfies string);
  socket
    .timeout(100)
    .emitWithAck("ask", "why")
    .then((answer) => answer satisfies string);
  io("https://example.com", { withCredentials: true, extraHeaders: { a: "b" }, upgrade: false });
  // @ts-expect-error There is no such option.
  io("https://example.com", { reconnectDelay: 5 });
  // @ts-expect-error The acknowledgement is what it waits for, and is not given.
  socket.emitWithAck("ask", "why", () => {});
  socket.io.on("drop", ({ event, args, reason }) => [event satisfies string, args.length, reason satisfies string]);
}

it("without maps, every event has any name and any arguments", () => {
  const manager = new Manager("http://127.0.0.1:9", { autoConnect: false, WebSocket: class {} as never });
  const socket = manager.socket("/");
  socket.on("anything", (text: string, count: number) => text.length + count);
  socket.emit("whatever", 1, "two", { three: 3 });
  const other: Socket = io("http://127.0.0.1:9/", { autoConnect: false, WebSocket: class {} as never });
  expect([socket.connected, other.active]).toEqual([false, false]);
});
