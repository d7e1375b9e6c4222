// What floods in: events of four types whose frames have about 150 bytes without the fields of a stream.

export const TYPES = ["message_received", "message_read", "notification", "session_update"];

const BUILD = {
  message_received: (n) => ({
    message: { id: `m${n}`, content: "so it is", role: "user", timestamp: TIME, session_id: "s1", user_id: "ben" },
  }),
  message_read: (n) => ({ message_id: `message-3f2b8a54-${n}`, match_id: "match-9a63", readAt: TIME, up_to: true }),
  notification: (n) => ({ id: `notification-${n}`, title: "Ada has joined", body: "There are three of you now." }),
  session_update: (n) => ({ session_id: `session-3f2b8a540d3c-${n}`, match_id: "match-9a635c", status: "active" }),
};

const TIME = "2026-01-01T12:00:00.000Z";
const TIMESTAMP = 1_767_268_800_000;

/** The type and the data of the event with this number. */
export function eventOf(number) {
  const type = TYPES[number % TYPES.length];
  return { type, data: BUILD[type](number) };
}

/** Its text; `stored` are the fields that tell where it is stored, if it is. */
export function eventText(number, stored) {
  return JSON.stringify({ ...eventOf(number), timestamp: TIMESTAMP, ...stored });
}
