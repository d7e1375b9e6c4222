"""The embedded store: one SQLite file, no set-up.

Statements run on the event loop, where they take microseconds because they meet the cache only; what waits for the disk, the
commit, runs in a thread of its own. While it does, the next messages gather, and go into one transaction.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..limits import Limits
from .base import Change, ContentRefused, Event, LowEpoch, NewEvent, StoreError, Takeover
from .lent import LentConnection
from .surplus import surplus

T = TypeVar("T")
C = TypeVar("C", bound=sqlite3.Connection)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS everwire_memory (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch INTEGER NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS everwire_clients (
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    last INTEGER NOT NULL,
    owner TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS everwire_clients_by_age ON everwire_clients (seen_at);
CREATE TABLE IF NOT EXISTS everwire_streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    newest INTEGER NOT NULL,
    UNIQUE (user_id, name)
) STRICT;
CREATE TABLE IF NOT EXISTS everwire_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    frame TEXT NOT NULL,
    UNIQUE (stream, offset)
) STRICT;
CREATE TABLE IF NOT EXISTS everwire_joined (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    room TEXT NOT NULL,
    UNIQUE (user_id, room)
) STRICT;
CREATE TABLE IF NOT EXISTS everwire_members (
    room TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY (room, user_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS everwire_members_by_client ON everwire_members (user_id, client_id);
"""


class SqliteStore:
    """`path` is a file; several processes may share it. `epoch` begins a higher epoch, for a restored backup. `durable=False`
    commits without waiting for the disk: a power failure may then lose the last transactions, so give a new epoch after one."""

    writers = 1

    def __init__(
        self,
        path: str | Path,
        *,
        epoch: int | None = None,
        durable: bool = True,
        busy_timeout_s: float = 30.0,
        poll_s: float = 0.05,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ValueError("SqliteStore needs a file: what is in memory only cannot be acknowledged")
        self._path = str(path)
        self._epoch = epoch
        self._durable = durable
        self._busy_timeout_s = busy_timeout_s
        self._poll_s = poll_s
        self._limits = Limits()
        self._lock = asyncio.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._writer: LentConnection | None = None
        self._reader: sqlite3.Connection | None = None
        self._version = -1
        self._seen = 0
        self._heard = 0

    async def open(self, limits: Limits) -> int:
        self._limits = limits
        # It belongs to the event loop that waits for it, and tests have one each.
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="everwire-sqlite")
        try:
            epoch = await self._in_thread(self._open)
        except sqlite3.Error as error:
            await self.close()
            raise StoreError(f"cannot open the SQLite file: {error}") from error
        if self._epoch is not None and epoch > self._epoch:
            await self.close()
            raise LowEpoch(self._epoch, epoch)
        return epoch

    def _open(self) -> int:
        writer = self._connect(LentConnection)
        self._writer = writer
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        sqlite3.Connection.executescript(writer, _SCHEMA)
        epoch = self._epoch or int(time.time() * 1000)
        writer.execute("INSERT OR IGNORE INTO everwire_memory (only_row, epoch) VALUES (1, ?)", (epoch,))
        if self._epoch is not None:
            writer.execute("UPDATE everwire_memory SET epoch = ?1 WHERE epoch < ?1", (self._epoch,))
        self._reader = self._connect(sqlite3.Connection)
        self._reader.execute("PRAGMA query_only = ON")
        self._seen = self._reader.execute("SELECT COALESCE(MAX(id), 0) FROM everwire_events").fetchone()[0]
        self._heard = int(time.time() * 1000)
        # From here on the writer is used by one transaction at a time, which waits for others without blocking the loop.
        writer.execute("PRAGMA busy_timeout = 0")
        return int(writer.execute("SELECT epoch FROM everwire_memory").fetchone()[0])

    def _connect(self, factory: type[C]) -> C:
        return sqlite3.connect(
            self._path,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=factory,
        )

    async def close(self) -> None:
        async with self._lock:
            # A commit whose task was cancelled may be under way in it.
            if self._thread is not None:
                self._thread.shutdown(wait=True)
                self._thread = None
            for connection in (self._reader, self._writer):
                if connection is not None:
                    with suppress(sqlite3.Error):
                        sqlite3.Connection.close(connection)
            self._reader = self._writer = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqliteTransaction"]:
        async with self._lock:
            writer = self._writer
            if writer is None:
                raise StoreError("the store is closed")
            await self._begin(writer)
            try:
                yield SqliteTransaction(writer, self._limits)
            except BaseException as error:
                with suppress(sqlite3.Error):
                    sqlite3.Connection.execute(writer, "ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise StoreError(str(error)) from error
                raise
            committing = asyncio.ensure_future(self._commit(writer))
            try:
                await asyncio.shield(committing)
            except asyncio.CancelledError:
                # It has begun and is short; the connection must not be used before it has ended.
                await asyncio.wait([committing])
                raise

    async def _begin(self, writer: LentConnection) -> None:
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                writer.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > deadline:
                    raise StoreError(str(error)) from error
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error
            await asyncio.sleep(0.002)

    async def _commit(self, writer: LentConnection) -> None:
        try:
            await self._in_thread(sqlite3.Connection.execute, writer, "COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                sqlite3.Connection.execute(writer, "ROLLBACK")
            refused = isinstance(error, sqlite3.IntegrityError)
            raise (ContentRefused if refused else StoreError)(type(error).__name__) from error

    async def events(self, user: str, stream: str, after: int, limit: int) -> list[Event]:
        try:
            rows = self._read().execute(
                "SELECT offset, frame, origin FROM everwire_events WHERE stream ="
                " (SELECT id FROM everwire_streams WHERE user_id = ? AND name = ?)"
                " AND offset > ? ORDER BY offset LIMIT ?",
                (user, stream, after, limit),
            )
            return [Event(*row) for row in rows]
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error

    async def newest(self, user: str, stream: str) -> int | None:
        try:
            row = (
                self._read()
                .execute("SELECT newest FROM everwire_streams WHERE user_id = ? AND name = ?", (user, stream))
                .fetchone()
            )
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error
        return None if row is None else int(row[0])

    async def changes(self) -> Sequence[Change | Takeover] | None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                reader = self._read()
                version = reader.execute("PRAGMA data_version").fetchone()[0]
                if version == self._version:
                    continue
                self._version = version
                owners = reader.execute(
                    "SELECT user_id, client_id, owner FROM everwire_clients WHERE seen_at >= ?", (self._heard,)
                ).fetchall()
                # Clocks are those of one machine, and a transaction takes a while.
                self._heard = int(time.time() * 1000) - _CLOCK_SLACK_MS
                rows = reader.execute(
                    "SELECT user_id, name, newest, latest FROM everwire_streams JOIN"
                    " (SELECT stream, MAX(id) AS latest FROM everwire_events WHERE id > ? GROUP BY stream) ON id = stream",
                    (self._seen,),
                ).fetchall()
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error
            if rows:
                self._seen = max(row[3] for row in rows)
            if rows or owners:
                changes = [Change(user, stream, newest) for user, stream, newest, _ in rows]
                return [*changes, *(Takeover(*owner) for owner in owners)]

    async def forget(self, user: str, stream: str, upto: int) -> int:
        async with self.transaction() as tx:
            return tx.forget(user, stream, upto)

    async def sweep(self, now: int) -> None:
        # In small steps, because each holds up the messages of everyone.
        while True:
            async with self.transaction() as tx:
                if not tx.sweep(now):
                    return

    def _read(self) -> sqlite3.Connection:
        if self._reader is None:
            raise StoreError("the store is closed")
        return self._reader

    async def _in_thread(self, call: Callable[..., T], *args: object) -> T:
        if self._thread is None:
            raise StoreError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)


class SqliteTransaction:
    def __init__(self, connection: LentConnection, limits: Limits) -> None:
        self._db = connection
        # Not those that handlers are lent, which look at each statement.
        self._execute = partial(sqlite3.Connection.execute, connection)
        self._executemany = partial(sqlite3.Connection.executemany, connection)
        self._limits = limits

    @property
    def native(self) -> sqlite3.Connection:
        return self._db

    async def hello(self, user: str, client_id: str, owner: str, now: int) -> int:
        row = self._execute(
            "INSERT INTO everwire_clients (user_id, client_id, last, owner, seen_at) VALUES (?, ?, 0, ?, ?)"
            " ON CONFLICT DO UPDATE SET owner = excluded.owner, seen_at = excluded.seen_at RETURNING last",
            (user, client_id, owner, now),
        ).fetchone()
        return int(row[0])

    async def position(self, user: str, stream: str, named: int | None, now: int) -> int:
        row = self._execute(
            "SELECT id, newest FROM everwire_streams WHERE user_id = ? AND name = ?", (user, stream)
        ).fetchone()
        if row is None:
            (forgotten,) = self._execute("SELECT forgotten FROM everwire_memory").fetchone()
            begin = max(now, int(forgotten))
            self._execute(
                "INSERT INTO everwire_streams (user_id, name, newest) VALUES (?, ?, ?)", (user, stream, begin)
            )
            self._bound_streams(user)
            return begin
        stream_id, newest = int(row[0]), int(row[1])
        if named is None or named >= newest:
            return newest
        (oldest,) = self._execute("SELECT MIN(offset) FROM everwire_events WHERE stream = ?", (stream_id,)).fetchone()
        return max(named, newest if oldest is None else int(oldest) - 1)

    async def take(self, user: str, client_id: str, owner: str, prev: int, seq: int) -> bool:
        updated = self._execute(
            "UPDATE everwire_clients SET last = ? WHERE user_id = ? AND client_id = ? AND last = ? AND owner = ?",
            (seq, user, client_id, prev, owner),
        )
        return updated.rowcount == 1

    async def touch(self, user: str, client_id: str, owner: str, now: int) -> bool:
        updated = self._execute(
            "UPDATE everwire_clients SET seen_at = ? WHERE user_id = ? AND client_id = ? AND owner = ?",
            (now, user, client_id, owner),
        )
        return updated.rowcount == 1

    async def disown(self, user: str, client_id: str, owner: str, now: int) -> None:
        self._execute(
            "UPDATE everwire_clients SET seen_at = ?, owner = '' WHERE user_id = ? AND client_id = ? AND owner = ?",
            (now, user, client_id, owner),
        )

    async def append(self, events: Sequence[NewEvent], now: int) -> list[int | None]:
        counts: dict[tuple[str, str], int] = {}
        for event in events:
            key = (event.user, event.stream)
            counts[key] = counts.get(key, 0) + 1
        next_offset: dict[tuple[str, str], tuple[int, int]] = {}
        for key, count in counts.items():
            row = self._execute(
                "UPDATE everwire_streams SET newest = newest + ? WHERE user_id = ? AND name = ? RETURNING id, newest",
                (count, *key),
            ).fetchone()
            if row is not None:
                next_offset[key] = (row[0], row[1] - count + 1)
        offsets: list[int | None] = []
        rows: list[tuple[int, int, int, str, str]] = []
        for event in events:
            place = next_offset.get((event.user, event.stream))
            if place is None:
                offsets.append(None)
                continue
            stream_id, offset = place
            next_offset[event.user, event.stream] = (stream_id, offset + 1)
            rows.append((stream_id, offset, now, event.origin, event.frame))
            offsets.append(offset)
        self._executemany(
            "INSERT INTO everwire_events (stream, offset, stored_at, origin, frame) VALUES (?, ?, ?, ?, ?)", rows
        )
        for key, (stream_id, after) in next_offset.items():
            # Every 64th event, so that an event costs one statement and no more.
            if after // _TRIM_EVERY != (after - counts[key]) // _TRIM_EVERY:
                self._trim(stream_id, after - 1)
        return offsets

    def _trim(self, stream_id: int, newest: int) -> None:
        self._execute(
            "DELETE FROM everwire_events WHERE stream = ? AND offset <= ?",
            (stream_id, newest - self._limits.history_events),
        )
        self._execute(
            "DELETE FROM everwire_events WHERE stream = ?1 AND offset <= (SELECT MAX(offset) FROM (SELECT offset,"
            " SUM(LENGTH(CAST(frame AS BLOB))) OVER (ORDER BY offset DESC) AS bytes FROM everwire_events WHERE stream = ?1)"
            " WHERE bytes > ?2)",
            (stream_id, self._limits.history_bytes),
        )

    async def join(self, user: str, client_id: str, room: str, keep: Collection[str] = ()) -> None:
        joined = self._execute(
            "INSERT INTO everwire_joined (user_id, room) VALUES (?, ?) ON CONFLICT DO NOTHING", (user, room)
        )
        if joined.rowcount == 1:
            rows = self._execute("SELECT room FROM everwire_joined WHERE user_id = ? ORDER BY id", (user,))
            for old in surplus([row[0] for row in rows], self._limits.rooms_per_user, {*keep, room}):
                await self.leave(user, old)
        if client_id:
            self._execute(
                "INSERT INTO everwire_members (room, user_id, client_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (room, user, client_id),
            )

    async def leave(self, user: str, room: str) -> None:
        self._execute("DELETE FROM everwire_joined WHERE user_id = ? AND room = ?", (user, room))
        self._execute("DELETE FROM everwire_members WHERE room = ? AND user_id = ?", (room, user))

    async def leave_client(self, user: str, client_id: str, room: str, seen_since: int) -> list[str]:
        self._execute(
            "DELETE FROM everwire_members WHERE room = ? AND user_id = ? AND client_id = ?", (room, user, client_id)
        )
        rows = self._execute(
            "SELECT client_id FROM everwire_members JOIN everwire_clients USING (user_id, client_id)"
            " WHERE room = ? AND user_id = ? AND owner <> '' AND seen_at >= ?",
            (room, user, seen_since),
        )
        return [row[0] for row in rows]

    async def joined(self, user: str, room: str) -> bool:
        row = self._execute("SELECT 1 FROM everwire_joined WHERE user_id = ? AND room = ?", (user, room)).fetchone()
        return row is not None

    async def members(self, room: str) -> list[str]:
        rows = self._execute("SELECT DISTINCT user_id FROM everwire_members WHERE room = ?", (room,))
        return [row[0] for row in rows]

    async def rooms(self, user: str) -> list[str]:
        rows = self._execute("SELECT DISTINCT room FROM everwire_members WHERE user_id = ?", (user,))
        return [row[0] for row in rows]

    async def lapse(self, user: str, client_id: str, keep: Iterable[str]) -> None:
        kept = set(keep)
        rows = self._execute(
            "SELECT room FROM everwire_members WHERE user_id = ? AND client_id = ?", (user, client_id)
        ).fetchall()
        self._executemany(
            "DELETE FROM everwire_members WHERE room = ? AND user_id = ? AND client_id = ?",
            [(room, user, client_id) for (room,) in rows if room not in kept],
        )

    async def savepoint(self) -> None:
        self._execute("SAVEPOINT everwire")
        self._db.begin_turn()

    async def rollback(self) -> None:
        self._end_turn()
        self._execute("ROLLBACK TO everwire")
        self._execute("RELEASE everwire")

    async def release(self) -> None:
        self._end_turn()
        self._execute("RELEASE everwire")

    def _end_turn(self) -> None:
        self._db.end_turn()
        if not self._db.in_transaction:
            raise ContentRefused("a statement of a handler has rolled back the transaction")

    def forget(self, user: str, stream: str, upto: int) -> int:
        return self._execute(
            "DELETE FROM everwire_events WHERE stream ="
            " (SELECT id FROM everwire_streams WHERE user_id = ? AND name = ?) AND offset <= ?",
            (user, stream, upto),
        ).rowcount

    def sweep(self, now: int) -> bool:
        """One step; whether there may be more."""
        events = self._execute(
            "DELETE FROM everwire_events WHERE stored_at < ?1 AND id IN"
            " (SELECT id FROM everwire_events ORDER BY id LIMIT ?2)",
            (now - self._limits.history_age_ms, _SWEEP),
        ).rowcount
        clients = self._execute(
            "SELECT user_id, client_id FROM everwire_clients WHERE seen_at < ? LIMIT ?",
            (now - self._limits.remember_ms, _SWEEP // 10),
        ).fetchall()
        for user, client_id in clients:
            self._forget_client(user, client_id)
        return events == _SWEEP or len(clients) == _SWEEP // 10

    def _forget_client(self, user: str, client_id: str) -> None:
        self._execute("DELETE FROM everwire_clients WHERE user_id = ? AND client_id = ?", (user, client_id))
        self._execute("DELETE FROM everwire_members WHERE user_id = ? AND client_id = ?", (user, client_id))
        self._forget_stream(user, f"client:{client_id}")
        if self._execute("SELECT 1 FROM everwire_clients WHERE user_id = ? LIMIT 1", (user,)).fetchone() is None:
            self._execute("DELETE FROM everwire_joined WHERE user_id = ?", (user,))
            self._execute("DELETE FROM everwire_members WHERE user_id = ?", (user,))
            self._forget_stream(user, "user")

    def _forget_stream(self, user: str, name: str) -> None:
        row = self._execute(
            "DELETE FROM everwire_streams WHERE user_id = ? AND name = ? RETURNING id, newest", (user, name)
        ).fetchone()
        if row is not None:
            self._execute("DELETE FROM everwire_events WHERE stream = ?", (row[0],))
            self._execute("UPDATE everwire_memory SET forgotten = MAX(forgotten, ?)", (row[1],))

    def _bound_streams(self, user: str) -> None:
        """The streams of the client ids that were seen longest ago make room; their `last` stays."""
        surplus = self._execute(
            "SELECT name FROM everwire_streams s JOIN everwire_clients c ON c.user_id = s.user_id"
            " AND s.name = 'client:' || c.client_id WHERE s.user_id = ? ORDER BY c.seen_at DESC LIMIT -1 OFFSET ?",
            (user, self._limits.streams_per_user),
        ).fetchall()
        for (name,) in surplus:
            self._forget_stream(user, name)


_TRIM_EVERY = 64
_CLOCK_SLACK_MS = 1000
_SWEEP = 2000
