import { type Envelope, NativeSocketClient } from "everwire";
import { useWebSocket } from "everwire/react";
import { NativeSocketClient as SlimClient } from "everwire/slim";
import { exactly } from "./assert";

interface Chat {
  said: { text: string; by?: string };
  left: Record<string, never>;
  "room:renamed": { name: string };
}

const chat = new NativeSocketClient<Chat>();

chat.on("said", (data, message) => {
  exactly<Chat["said"]>()(data);
  exactly<Envelope<"said", Chat["said"]>>()(message);
  exactly<number | undefined>()(message.timestamp);
});
chat.on("open", () => {});
chat.send("said", { text: "hello" });
chat.send("said", { text: "hello", by: "me" });
chat.send("left");
chat.send("left", {});
chat.off("said");

// @ts-expect-error the map has no such event
chat.on("sayd", () => {});
// @ts-expect-error the map has no such event
chat.send("sayd", { text: "hello" });
// @ts-expect-error the map has no such event
chat.off("sayd");
// @ts-expect-error `text` is missing
chat.send("said", {});
// @ts-expect-error `text` is missing
chat.send("said");
// @ts-expect-error `text` is a string
chat.send("said", { text: 5 });
// @ts-expect-error the payload has no such field
chat.send("said", { text: "hello", colour: "red" });
// @ts-expect-error `text` is a string
chat.on("said", (data: { text: number }) => data.text);
// @ts-expect-error `left` carries nothing
chat.send("left", { why: "tired" });

interface FromServer {
  score: { points: number };
}
interface ToServer {
  move: { x: number; y: number };
  resign: Record<string, never>;
}

const game = new NativeSocketClient<FromServer, ToServer>();

game.on("score", ({ points }) => exactly<number>()(points));
game.send("move", { x: 1, y: 2 });
game.send("resign");

// @ts-expect-error the client sends this and does not hear it
game.on("move", () => {});
// @ts-expect-error the client hears this and does not send it
game.send("score", { points: 5 });
// @ts-expect-error `y` is missing
game.send("move", { x: 1 });

game.once("score", ({ points }, message) => {
  exactly<number>()(points);
  exactly<"score">()(message.type);
});
game.once("close", ({ code }) => exactly<number>()(code));
// @ts-expect-error the client sends this and does not hear it
game.once("move", () => {});

chat.onAny((event, data, message) => {
  exactly<keyof Chat>()(event);
  exactly<Chat[keyof Chat]>()(data);
  if (message.type === "said") exactly<string>()(message.data.text);
  exactly<number | undefined>()(message.timestamp);
});
// @ts-expect-error lifecycle events are not among them
chat.onAny((event) => event === "open");
new NativeSocketClient().onAny((event, data) => {
  exactly<string>()(event);
  exactly<unknown>()(data);
});

const slim = new SlimClient<FromServer, ToServer>();
slim.on("score", ({ points }) => exactly<number>()(points));
// @ts-expect-error `y` is missing
slim.send("move", { x: 1 });

export function useGame() {
  const { emit, subscribe, client } = useWebSocket<FromServer, ToServer>();
  emit("move", { x: 1, y: 2 });
  const end: () => void = subscribe("score", ({ points }) => exactly<number>()(points));
  end();
  client.send("resign");
  // @ts-expect-error `y` is missing
  emit("move", { x: 1 });
  // @ts-expect-error the client sends this and does not hear it
  subscribe("move", () => {});
}
