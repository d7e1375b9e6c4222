import { type Envelope, NativeSocketClient, type SendResult } from "everwire";
import { exactly } from "./assert";

const client = new NativeSocketClient();

client.on("anything", (data, message) => {
  exactly<unknown>()(data);
  exactly<Envelope<"anything">>()(message);
});
client.on("anything", (data: { text: string }) => data.text);
client.on("anything", (_: { text: string }, message: { type: string }) => message.type);
client.on("anything", () => {});

exactly<SendResult>()(client.send("anything"));
client.send("anything", { nested: { anything: true } });
client.off("anything");
client.off("anything", () => {});

export const ends: (() => void)[] = [client.on("open", () => {}), client.subscribe(() => {})];
exactly<"connecting" | "open" | "closing" | "closed">()(client.getState());
exactly<boolean>()(client.isConnected());

// @ts-expect-error a name is a string
client.on(5, () => {});
// @ts-expect-error a handler is a function
client.on("anything", "not a function");
// @ts-expect-error a name is needed
client.send();
