//! The tables of the reliable mode.

/// Made with the database. `sent` holds what receipts may come for, `processed` is filled with `--dev` only.
/// `highest_forgotten` is the highest offset of any stream that is gone.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS memory (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        epoch INTEGER NOT NULL,
        highest_forgotten INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE IF NOT EXISTS clients (
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        last INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, client_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS streams (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        newest INTEGER NOT NULL,
        UNIQUE (user_id, name)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS events (
        stream INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
        offset INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        type TEXT NOT NULL,
        frame TEXT NOT NULL,
        origin INTEGER,
        PRIMARY KEY (stream, offset)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sent (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        match_id TEXT,
        message_id INTEGER,
        status INTEGER NOT NULL,
        sent_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS sent_by_message ON sent (match_id, message_id) WHERE message_id IS NOT NULL;
    CREATE TABLE IF NOT EXISTS members (
        user_id TEXT NOT NULL,
        room TEXT NOT NULL,
        PRIMARY KEY (user_id, room)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS joined (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        room TEXT NOT NULL,
        UNIQUE (user_id, room)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS processed (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        refused TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS processed_by_user ON processed (user_id, id);
";
