import { durableOutbox, type Outbox, type OutboxErrorCode, type StoredMessage } from "everwire/durable";

const outbox: Outbox = durableOutbox({ name: "ada" });
// @ts-expect-error: whose messages they are is never left open.
durableOutbox();
// @ts-expect-error: neither is it here.
durableOutbox({ maxMessages: 10 });
durableOutbox({ name: "ada", maxMessages: 10, maxBytes: 1_000 });
// @ts-expect-error: an id that has not been loaded yet would mix users.
durableOutbox({ name: undefined });
// @ts-expect-error: no such option.
durableOutbox({ name: "ada", database: "other" });

const adopted: Promise<StoredMessage[]> = outbox.open("k3");
const stored: Promise<void> = outbox.put({
  clientId: "k3",
  seq: 1,
  frame: "{}",
  bytes: 2,
  purpose: 0,
  expiresAt: null,
});
// @ts-expect-error: when it expires is never left open.
void outbox.put({ clientId: "k3", seq: 1, frame: "{}", bytes: 2, purpose: 0 });
const wiped: Promise<void> = outbox.wipe();
const code: OutboxErrorCode = "storage_full";

/** An application may bring its own. */
const own: Outbox = {
  open: async () => [],
  put: async () => {},
  acknowledge() {},
  remove() {},
  wipe: async () => {},
  close() {},
};

export const used = [adopted, stored, wiped, code, own];
