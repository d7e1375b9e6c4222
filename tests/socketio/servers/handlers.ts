import { type Handler, Refusal } from "../../../servers/socketio/src/index";

/** What the handlers keep. Both databases read it. */
export const TABLES = [
  "CREATE TABLE IF NOT EXISTS notes (id TEXT NOT NULL, user_id TEXT NOT NULL, n BIGINT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS members (user_id TEXT NOT NULL, session_id TEXT NOT NULL, PRIMARY KEY (user_id, session_id))",
];

/** The events of the conversations in docs/vectors, and a note whose number is kept in its transaction. */
export const HANDLERS: Readonly<Record<string, Handler>> = {
  echo: ({ isRequest, tell }, data) => {
    if (!isRequest) tell("echo", data);
    return data;
  },
  note: async ({ sql, user, seq, publish }, { n }) => {
    // In the order in which they are processed; text, because SQLite would round and PostgreSQL not compare.
    await sql("INSERT INTO notes VALUES (?, ?, ?)", String(seq).padStart(16, "0"), user, Number(n));
    await publish(user, "noted", { n });
    return { n };
  },
  join_session: async ({ sql, user, socket }, { session_id }) => {
    await sql("INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING", user, String(session_id));
    await socket.join(String(session_id));
  },
  leave_session: async ({ sql, user }, { session_id }) => {
    await sql("DELETE FROM members WHERE user_id = ? AND session_id = ?", user, String(session_id));
  },
  message_sent: async ({ sql, user, seq, socket }, { session_id }) => {
    // A numbered message is judged by what is stored, any other by what this connection has said.
    const members = await sql(
      "SELECT 1 AS one FROM members WHERE user_id = ? AND session_id = ?",
      user,
      String(session_id),
    );
    if (!(seq === undefined ? socket.rooms.has(String(session_id)) : members.length > 0))
      throw new Refusal("not_joined");
  },
};
