//! The tables of the reliable mode.

/// Made with the database.
///
/// - `highest_forgotten` is the highest offset of any stream that is gone.
/// - `owner` names the connection that may send under a client id, of whichever process.
/// - `usage` is what the events of a user take; only triggers write it, so it is never wrong.
/// - `events.id` and `changes.id` grow from one transaction to the next, of whichever process, and are never used twice: what
///   is beyond the highest that a process has seen is what others have stored since.
/// - `members` are the rooms whose events a user gets, by the client id that has joined; `joined` are those that they may send to.
/// - `sent` holds what receipts may come for, `processed` is filled with `--dev` only.
pub const SCHEMA: &str = r#"
    CREATE TABLE everwire_memory (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        version INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        highest_forgotten INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE everwire_clients (
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        last INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        owner TEXT,
        PRIMARY KEY (user_id, client_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX everwire_clients_by_age ON everwire_clients (seen_at);
    CREATE TABLE everwire_streams (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        newest INTEGER NOT NULL,
        bytes INTEGER NOT NULL DEFAULT 0,
        UNIQUE (user_id, name)
    ) STRICT;
    CREATE TABLE everwire_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        stream INTEGER NOT NULL REFERENCES everwire_streams (id) ON DELETE CASCADE,
        "offset" INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        type TEXT NOT NULL,
        frame TEXT NOT NULL,
        origin INTEGER,
        UNIQUE (stream, "offset")
    ) STRICT;
    CREATE INDEX everwire_events_by_age ON everwire_events (stored_at);
    CREATE TABLE everwire_sent (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        room TEXT,
        message_id INTEGER,
        status INTEGER NOT NULL,
        sent_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX everwire_sent_by_message ON everwire_sent (room, message_id) WHERE message_id IS NOT NULL;
    CREATE INDEX everwire_sent_by_age ON everwire_sent (sent_at);
    CREATE TABLE everwire_members (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        room TEXT NOT NULL,
        owner TEXT NOT NULL,
        UNIQUE (user_id, client_id, room)
    ) STRICT;
    CREATE INDEX everwire_members_by_user ON everwire_members (user_id, id);
    CREATE TABLE everwire_joined (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        room TEXT NOT NULL,
        UNIQUE (user_id, room)
    ) STRICT;
    CREATE TABLE everwire_changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        changed_at INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        room TEXT,
        client_id TEXT
    ) STRICT;
    CREATE INDEX everwire_changes_by_age ON everwire_changes (changed_at);
    CREATE TABLE everwire_processed (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        refused TEXT
    ) STRICT;
    CREATE INDEX everwire_processed_by_user ON everwire_processed (user_id, id);
"#;

/// What SQLite keeps count with.
pub const SCHEMA_OF_SQLITE: &str = "
    CREATE TABLE everwire_usage (
        user_id TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER everwire_event_stored AFTER INSERT ON everwire_events BEGIN
        UPDATE everwire_streams SET bytes = bytes + octet_length(NEW.frame) WHERE id = NEW.stream;
    END;
    CREATE TRIGGER everwire_event_forgotten AFTER DELETE ON everwire_events BEGIN
        UPDATE everwire_streams SET bytes = bytes - octet_length(OLD.frame) WHERE id = OLD.stream;
    END;
    CREATE TRIGGER everwire_stream_used AFTER UPDATE OF bytes ON everwire_streams BEGIN
        INSERT INTO everwire_usage (user_id, bytes) VALUES (NEW.user_id, NEW.bytes - OLD.bytes)
            ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes - OLD.bytes;
    END;
    CREATE TRIGGER everwire_stream_forgotten AFTER DELETE ON everwire_streams BEGIN
        UPDATE everwire_usage SET bytes = bytes - OLD.bytes WHERE user_id = OLD.user_id;
        DELETE FROM everwire_usage WHERE user_id = OLD.user_id AND bytes <= 0;
    END;
";

/// The same for PostgreSQL, where the bytes of new events are added with their offsets.
pub const SCHEMA_OF_POSTGRES: &str = "
    CREATE VIEW everwire_usage AS
        SELECT user_id, SUM(bytes)::bigint AS bytes FROM everwire_streams GROUP BY user_id;
    CREATE FUNCTION everwire_events_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE everwire_streams AS s SET bytes = s.bytes - f.bytes
                FROM (SELECT stream, SUM(octet_length(frame)) AS bytes FROM forgotten GROUP BY stream) AS f
                WHERE s.id = f.stream;
            RETURN NULL;
        END
    $$;
    CREATE TRIGGER everwire_event_forgotten AFTER DELETE ON everwire_events
        REFERENCING OLD TABLE AS forgotten FOR EACH STATEMENT EXECUTE FUNCTION everwire_events_forgotten();
";
