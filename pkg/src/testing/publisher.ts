import type { PublishOptions } from "./context.js";
import type { Conversations } from "./conversations.js";
import type { Author, Delivery } from "./delivery.js";
import { type Data, isObject } from "./envelope.js";
import type { Origin } from "./memory.js";
import type { Rooms } from "./rooms.js";

/** Says who gets an event, and whether it is stored for them. */
export class Publisher {
  readonly #delivery: Delivery;
  readonly #rooms: Rooms;
  readonly #conversations: Conversations;

  constructor(delivery: Delivery, rooms: Rooms, conversations: Conversations) {
    this.#delivery = delivery;
    this.#rooms = rooms;
    this.#conversations = conversations;
  }

  toUsers(users: Iterable<string>, type: string, data: Data, isStored = !MOMENTARY.has(type)): void {
    for (const user of users) this.#delivery.toUser(user, type, data, { isStored });
  }

  /** An author is left out, unless the options say otherwise, and told that the event was delivered. */
  toRoom(room: string, type: string, data: Data, options: PublishOptions, author?: Author): void {
    checkEvent(type, data);
    const isStored = options.stored ?? !MOMENTARY.has(type);
    const origin = author && isStored ? this.#originOf(room, data, author) : undefined;
    const leftOut = options.except === "nobody" ? undefined : author;
    for (const user of this.#rooms.receivers(room))
      this.#delivery.toUser(user, type, data, { isStored, leftOut, origin });
  }

  /** The message behind an event of a room, if its sender can be told more of it. */
  #originOf(room: string, data: Data, { connection: { user, clientId }, seq }: Author): Origin | undefined {
    if (clientId === null || seq === null) return undefined;
    const origin: Origin = { user, clientId, seq, status: "sent" };
    const id = isObject(data["message"]) ? data["message"]["id"] : data["id"];
    if (typeof id === "string") this.#conversations.sent(room, id, origin);
    return origin;
  }
}

/** @throws TypeError if this is no event. */
export function checkEvent(type: string, data: unknown): void {
  if (typeof type !== "string" || type === "")
    throw new TypeError("the type of an event must be a string that is not empty");
  if (!isObject(data)) throw new TypeError(`the data of \`${type}\` must be an object`);
}

/** What is true for a moment only, and so is never stored. */
const MOMENTARY: ReadonlySet<string> = new Set([
  ...["typing_indicator", "user_typing", "typing_stopped", "user_online_status", "session_members", "message_delta"],
]);
