/** An event of the application's. Throws a `RangeError` for what no client could take for one. */
export function eventOf(type: unknown, data: unknown): { readonly type: string; readonly data: object } {
  if (typeof type !== "string" || type === "" || Buffer.byteLength(type) > 128)
    throw new RangeError("the type of an event is a string of 1 to 128 bytes");
  if (OF_THE_PROTOCOL.has(type))
    throw new RangeError(`"${type}" has a meaning in the protocol: name the event otherwise`);
  if (OF_CLIENTS.has(type)) throw new RangeError(`clients tell "${type}" by themselves: name the event otherwise`);
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw new RangeError("the data of an event is an object");
  return { type, data };
}

const OF_THE_PROTOCOL = new Set(["hello", "welcome", "ack", "stream", "reply", "receipt"]);
const OF_CLIENTS = new Set(["open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"]);
