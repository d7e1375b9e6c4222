"""The shared store: several processes and nodes on one PostgreSQL. Needs `asyncpg`."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from ..limits import Limits
from .base import Change, Conflict, ContentRefused, Event, LowEpoch, NewEvent, StoreAway, StoreError, Takeover
from .lent_postgres import LentPostgres
from .surplus import surplus

_SCHEMA = """
CREATE TABLE IF NOT EXISTS everwire_memory (
    only_row INT PRIMARY KEY CHECK (only_row = 1),
    epoch BIGINT NOT NULL,
    forgotten BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS everwire_clients (
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    last BIGINT NOT NULL,
    owner TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX IF NOT EXISTS everwire_clients_by_age ON everwire_clients (seen_at);
CREATE TABLE IF NOT EXISTS everwire_streams (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    newest BIGINT NOT NULL,
    UNIQUE (user_id, name)
);
CREATE TABLE IF NOT EXISTS everwire_events (
    stream BIGINT NOT NULL,
    "offset" BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    origin TEXT NOT NULL,
    frame TEXT NOT NULL,
    PRIMARY KEY (stream, "offset")
);
CREATE INDEX IF NOT EXISTS everwire_events_by_age ON everwire_events (stored_at);
CREATE TABLE IF NOT EXISTS everwire_joined (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT NOT NULL,
    room TEXT NOT NULL,
    UNIQUE (user_id, room)
);
CREATE TABLE IF NOT EXISTS everwire_members (
    room TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY (room, user_id, client_id)
);
CREATE INDEX IF NOT EXISTS everwire_members_by_client ON everwire_members (user_id, client_id);
"""

CHANNEL = "everwire"
# A connection that breaks while it is used shows as any of these.
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
# A handler went on after a statement of its own had failed, or has several under way at once.
_BY_CONTENT = (asyncpg.InFailedSQLTransactionError, asyncpg.InterfaceError)
# A handler has changed the session or its savepoints, or the tables are missing: refusing the message shows which.
_BY_CONTENT_WHERE_LENT = (
    asyncpg.SyntaxOrAccessError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.InvalidSavepointSpecificationError,
)
# What passes: nobody listens, or it is starting or has no connection left.
_AWAY = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


class PostgresStore:
    """`pool` is an `asyncpg.Pool` with at least `writers` + 2 connections, which the application closes, or the URL of a
    database, for a pool of the store's own. `epoch` begins a higher
    epoch, for a restored backup. What is acknowledged outlives a power failure if `synchronous_commit` is on, as it is
    unless someone has turned it off. `notify=False` leaves it to a bus to wake other nodes: PostgreSQL lets those who commit with a
    NOTIFY wait for each other."""

    def __init__(self, pool: Any, *, epoch: int | None = None, writers: int = 4, notify: bool = True) -> None:
        self.writers = writers
        self._url = pool if isinstance(pool, str) else None
        self._made: Any = None if isinstance(pool, str) else pool
        self._epoch = epoch
        self._notify = notify
        self._limits = Limits()
        self._listener: Any = None
        self._changes: asyncio.Queue[Sequence[Change | Takeover] | None] = asyncio.Queue(1000)

    async def open(self, limits: Limits) -> int:
        self._limits = limits
        # It belongs to the event loop that waits for it, and tests have one each.
        self._changes = asyncio.Queue(1000)
        try:
            if self._url is not None:
                self._made = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=self.writers + 4, command_timeout=_TIMEOUT_S
                )
            async with self._pool.acquire(timeout=_TIMEOUT_S) as db, db.transaction():
                # Two processes that start at once must not make the tables twice.
                await db.execute("SELECT pg_advisory_xact_lock(7305810236)")
                await db.execute(_SCHEMA)
                await db.execute(
                    "INSERT INTO everwire_memory (only_row, epoch) VALUES (1, $1) ON CONFLICT DO NOTHING",
                    self._epoch or int(time.time() * 1000),
                )
                if self._epoch is not None:
                    await db.execute("UPDATE everwire_memory SET epoch = $1 WHERE epoch < $1", self._epoch)
                epoch = int(await db.fetchval("SELECT epoch FROM everwire_memory"))
            await self._listen()
        except _FAILURES as error:
            await self.close()
            what = f"cannot open PostgreSQL: {type(error).__name__}"
            raise (StoreAway if isinstance(error, _AWAY) else StoreError)(what) from error
        if self._epoch is not None and epoch > self._epoch:
            await self.close()
            raise LowEpoch(self._epoch, epoch)
        return epoch

    @property
    def _pool(self) -> Any:
        if self._made is None:
            raise StoreError("the store is not open")
        return self._made

    async def _listen(self) -> None:
        listener = await self._pool.acquire()
        await listener.add_listener(CHANNEL, self._notified)
        listener.add_termination_listener(self._terminated)
        self._listener = listener

    def _terminated(self, _connection: object) -> None:
        self._listener = None

    def _notified(self, _connection: object, _process: int, _channel: str, payload: str) -> None:
        with suppress(ValueError, TypeError):
            changes = [_read_change(*change) for change in json.loads(payload)]
            if self._changes.full():
                # Look everywhere rather than fall behind.
                while not self._changes.empty():
                    self._changes.get_nowait()
                self._changes.put_nowait(None)
            self._changes.put_nowait(changes)

    async def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(*_FAILURES):
                listener.remove_termination_listener(self._terminated)
                await listener.remove_listener(CHANNEL, self._notified)
            await self._pool.release(listener)
        if self._url is not None and self._made is not None:
            pool, self._made = self._made, None
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresTransaction"]:
        try:
            db = await self._pool.acquire(timeout=_TIMEOUT_S)
        except _FAILURES as error:
            raise StoreAway(type(error).__name__) from error
        try:
            async with _released(self._pool, db):
                transaction = db.transaction()
                await transaction.start()
                tx = PostgresTransaction(db, self._limits, notify=self._notify)
                try:
                    yield tx
                    await tx.settle()
                except BaseException as error:
                    is_lost = db.is_closed()
                    try:
                        await transaction.rollback()
                    except _FAILURES:
                        db.terminate()
                    by_content = _BY_CONTENT + (_BY_CONTENT_WHERE_LENT if tx.was_lent else ())
                    if isinstance(error, by_content) and not is_lost:
                        raise ContentRefused(type(error).__name__) from error
                    raise
                try:
                    await transaction.commit()
                except asyncpg.IntegrityConstraintViolationError as error:
                    raise ContentRefused(type(error).__name__) from error
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
            raise Conflict(type(error).__name__) from error
        except _FAILURES as error:
            raise StoreError(type(error).__name__) from error

    async def events(self, user: str, stream: str, after: int, limit: int) -> list[Event]:
        try:
            rows = await self._pool.fetch(
                'SELECT "offset", frame, origin FROM everwire_events WHERE stream ='
                " (SELECT id FROM everwire_streams WHERE user_id = $1 AND name = $2)"
                ' AND "offset" > $3 ORDER BY "offset" LIMIT $4',
                user,
                stream,
                after,
                limit,
            )
        except _FAILURES as error:
            raise StoreError(type(error).__name__) from error
        return [Event(*row) for row in rows]

    async def newest(self, user: str, stream: str) -> int | None:
        try:
            newest: int | None = await self._pool.fetchval(
                "SELECT newest FROM everwire_streams WHERE user_id = $1 AND name = $2", user, stream
            )
        except _FAILURES as error:
            raise StoreError(type(error).__name__) from error
        return newest

    async def changes(self) -> Sequence[Change | Takeover] | None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    return await self._changes.get()
            if self._listener is None:
                try:
                    await self._listen()
                except _FAILURES as error:
                    raise StoreError(type(error).__name__) from error
                # What was announced meanwhile was not heard.
                return None

    async def forget(self, user: str, stream: str, upto: int) -> int:
        async with self.transaction() as tx:
            return await tx.forget(user, stream, upto)

    async def sweep(self, now: int) -> None:
        while True:
            async with self.transaction() as tx:
                if not await tx.sweep(now):
                    return


class PostgresTransaction:
    def __init__(self, connection: Any, limits: Limits, *, notify: bool) -> None:
        self._db = connection
        self._limits = limits
        self._notifies = notify
        self._is_kept = False
        """Whether there is a savepoint behind which everything is to stay, and may have failed without anyone having noticed."""
        self._lent: LentPostgres | None = None
        self.was_lent = False

    @property
    def native(self) -> Any:
        self.was_lent = True
        if self._lent is None:
            self._lent = LentPostgres(self._db)
        return self._lent

    def _take_back(self) -> None:
        if self._lent is not None:
            self._lent.take_back()
            self._lent = None

    async def hello(self, user: str, client_id: str, owner: str, now: int) -> int:
        last: int = await self._db.fetchval(
            "WITH said AS (INSERT INTO everwire_clients AS c (user_id, client_id, last, owner, seen_at) VALUES ($1, $2, 0, $3, $4)"
            " ON CONFLICT (user_id, client_id) DO UPDATE SET owner = excluded.owner, seen_at = excluded.seen_at RETURNING c.last)"
            " SELECT last, CASE WHEN $7 THEN pg_notify($5, $6) END FROM said",
            user,
            client_id,
            owner,
            now,
            CHANNEL,
            json.dumps([(user, client_id, owner)], ensure_ascii=False),
            self._notifies,
        )
        return last

    async def position(self, user: str, stream: str, named: int | None, now: int) -> int:
        row = await self._find(user, stream)
        if row is None:
            begin: int | None = await self._db.fetchval(
                "INSERT INTO everwire_streams (user_id, name, newest) SELECT $1, $2, GREATEST($3, forgotten) FROM everwire_memory"
                " ON CONFLICT DO NOTHING RETURNING newest",
                user,
                stream,
                now,
            )
            if begin is not None:
                await self._bound_streams(user)
                return begin
            # Another connection has begun it at the same time.
            row = await self._find(user, stream)
        stream_id, newest = int(row[0]), int(row[1])
        if named is None or named >= newest:
            return newest
        oldest = await self._db.fetchval('SELECT MIN("offset") FROM everwire_events WHERE stream = $1', stream_id)
        return max(named, newest if oldest is None else int(oldest) - 1)

    async def _find(self, user: str, stream: str) -> Any:
        return await self._db.fetchrow(
            "SELECT id, newest FROM everwire_streams WHERE user_id = $1 AND name = $2", user, stream
        )

    async def take(self, user: str, client_id: str, owner: str, prev: int, seq: int) -> bool:
        return await self._one(
            "UPDATE everwire_clients SET last = $1 WHERE user_id = $2 AND client_id = $3 AND last = $4 AND owner = $5",
            seq,
            user,
            client_id,
            prev,
            owner,
        )

    async def touch(self, user: str, client_id: str, owner: str, now: int) -> bool:
        return await self._one(
            "UPDATE everwire_clients SET seen_at = $1 WHERE user_id = $2 AND client_id = $3 AND owner = $4",
            now,
            user,
            client_id,
            owner,
        )

    async def disown(self, user: str, client_id: str, owner: str, now: int) -> None:
        await self._db.execute(
            "UPDATE everwire_clients SET seen_at = $1, owner = '' WHERE user_id = $2 AND client_id = $3 AND owner = $4",
            now,
            user,
            client_id,
            owner,
        )

    async def append(self, events: Sequence[NewEvent], now: int) -> list[int | None]:
        counts: dict[tuple[str, str], int] = {}
        for event in events:
            key = (event.user, event.stream)
            counts[key] = counts.get(key, 0) + 1
        users, names = [key[0] for key in counts], [key[1] for key in counts]
        # The rows are locked in the order of their ids, so that two transactions with the same streams wait for each other only once.
        await self._db.execute(
            "SELECT 1 FROM everwire_streams s JOIN unnest($1::text[], $2::text[]) AS w (user_id, name)"
            " ON s.user_id = w.user_id AND s.name = w.name ORDER BY s.id FOR UPDATE OF s",
            users,
            names,
        )
        rows = await self._db.fetch(
            "UPDATE everwire_streams s SET newest = s.newest + w.n"
            " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (user_id, name, n)"
            " WHERE s.user_id = w.user_id AND s.name = w.name RETURNING s.user_id, s.name, s.id, s.newest",
            users,
            names,
            list(counts.values()),
        )
        streams = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}
        following = {key: newest - counts[key] + 1 for key, (_, newest) in streams.items()}
        offsets: list[int | None] = []
        columns: tuple[list[Any], ...] = ([], [], [], [])
        for event in events:
            key = (event.user, event.stream)
            if key not in streams:
                offsets.append(None)
                continue
            offset = following[key]
            following[key] += 1
            offsets.append(offset)
            for column, value in zip(columns, (streams[key][0], offset, event.origin, event.frame), strict=True):
                column.append(value)
        await self._db.execute(
            'INSERT INTO everwire_events (stream, "offset", origin, frame, stored_at)'
            " SELECT *, $5::bigint FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])",
            *columns,
            now,
        )
        for key, (stream_id, newest) in streams.items():
            if newest // _TRIM_EVERY != (newest - counts[key]) // _TRIM_EVERY:
                await self._trim(stream_id, newest)
        await self._notify([(user, name, newest) for (user, name), (_, newest) in streams.items()])
        self._is_kept = False
        return offsets

    async def _notify(self, changes: list[tuple[str, str, int]]) -> None:
        if not self._notifies:
            return
        # A notification holds less than 8 000 bytes.
        for first in range(0, len(changes), _CHANGES_PER_NOTIFICATION):
            payload = json.dumps(changes[first : first + _CHANGES_PER_NOTIFICATION], ensure_ascii=False)
            await self._db.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)

    async def _trim(self, stream_id: int, newest: int) -> None:
        await self._db.execute(
            'DELETE FROM everwire_events WHERE stream = $1 AND "offset" <= $2',
            stream_id,
            newest - self._limits.history_events,
        )
        await self._db.execute(
            'DELETE FROM everwire_events WHERE stream = $1 AND "offset" <= (SELECT MAX("offset") FROM (SELECT "offset",'
            ' SUM(OCTET_LENGTH(frame)) OVER (ORDER BY "offset" DESC) AS bytes FROM everwire_events WHERE stream = $1) AS b'
            " WHERE bytes > $2)",
            stream_id,
            self._limits.history_bytes,
        )

    async def join(self, user: str, client_id: str, room: str, keep: Collection[str] = ()) -> None:
        if await self._one(
            "INSERT INTO everwire_joined (user_id, room) VALUES ($1, $2) ON CONFLICT DO NOTHING", user, room
        ):
            rows = await self._db.fetch("SELECT room FROM everwire_joined WHERE user_id = $1 ORDER BY id", user)
            for old in surplus([row[0] for row in rows], self._limits.rooms_per_user, {*keep, room}):
                await self.leave(user, old)
        if client_id:
            await self._db.execute(
                "INSERT INTO everwire_members (room, user_id, client_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                room,
                user,
                client_id,
            )

    async def leave(self, user: str, room: str) -> None:
        await self._db.execute("DELETE FROM everwire_joined WHERE user_id = $1 AND room = $2", user, room)
        await self._db.execute("DELETE FROM everwire_members WHERE room = $1 AND user_id = $2", room, user)

    async def leave_client(self, user: str, client_id: str, room: str, seen_since: int) -> list[str]:
        await self._db.execute("SELECT 1 FROM everwire_joined WHERE user_id = $1 AND room = $2 FOR UPDATE", user, room)
        await self._db.execute(
            "DELETE FROM everwire_members WHERE room = $1 AND user_id = $2 AND client_id = $3", room, user, client_id
        )
        rows = await self._db.fetch(
            "SELECT client_id FROM everwire_members JOIN everwire_clients USING (user_id, client_id)"
            " WHERE room = $1 AND user_id = $2 AND owner <> '' AND seen_at >= $3",
            room,
            user,
            seen_since,
        )
        return [row[0] for row in rows]

    async def joined(self, user: str, room: str) -> bool:
        found = await self._db.fetchval("SELECT 1 FROM everwire_joined WHERE user_id = $1 AND room = $2", user, room)
        return found is not None

    async def members(self, room: str) -> list[str]:
        return [
            row[0]
            for row in await self._db.fetch("SELECT DISTINCT user_id FROM everwire_members WHERE room = $1", room)
        ]

    async def rooms(self, user: str) -> list[str]:
        rows = await self._db.fetch("SELECT DISTINCT room FROM everwire_members WHERE user_id = $1", user)
        return [row[0] for row in rows]

    async def lapse(self, user: str, client_id: str, keep: Iterable[str]) -> None:
        await self._db.execute(
            "DELETE FROM everwire_members WHERE user_id = $1 AND client_id = $2 AND room <> ALL ($3::text[])",
            user,
            client_id,
            list(keep),
        )

    async def savepoint(self) -> None:
        # What is released only now saves a round trip.
        try:
            await self._db.execute(f"{_RELEASE}; {_SAVEPOINT}" if self._is_kept else _SAVEPOINT)
        except asyncpg.InFailedSQLTransactionError as error:
            # It was an earlier message's doing; alone, each shows whose.
            raise ContentRefused("a failed statement that nobody heeded") from error
        self._is_kept = False

    async def rollback(self) -> None:
        self._take_back()
        await self._db.execute(f"ROLLBACK TO SAVEPOINT everwire; {_RELEASE}")

    async def release(self) -> None:
        self._take_back()
        self._is_kept = True

    async def settle(self) -> None:
        """Before the commit, which would answer a transaction that has failed with a rollback, and no error."""
        if self._is_kept:
            await self._db.execute(_RELEASE)

    async def forget(self, user: str, stream: str, upto: int) -> int:
        return await self._count(
            "DELETE FROM everwire_events WHERE stream = (SELECT id FROM everwire_streams WHERE user_id = $1 AND name = $2)"
            ' AND "offset" <= $3',
            user,
            stream,
            upto,
        )

    async def sweep(self, now: int) -> bool:
        """One step; whether there may be more."""
        events = await self._count(
            "DELETE FROM everwire_events WHERE ctid IN (SELECT ctid FROM everwire_events WHERE stored_at < $1 LIMIT $2)",
            now - self._limits.history_age_ms,
            _SWEEP,
        )
        # One process sweeps what another is not at.
        clients = await self._db.fetch(
            "SELECT user_id, client_id FROM everwire_clients WHERE seen_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED",
            now - self._limits.remember_ms,
            _SWEEP // 10,
        )
        for user, client_id in clients:
            await self._forget_client(user, client_id)
        return events == _SWEEP or len(clients) == _SWEEP // 10

    async def _forget_client(self, user: str, client_id: str) -> None:
        await self._db.execute("DELETE FROM everwire_clients WHERE user_id = $1 AND client_id = $2", user, client_id)
        await self._db.execute("DELETE FROM everwire_members WHERE user_id = $1 AND client_id = $2", user, client_id)
        await self._forget_stream(user, f"client:{client_id}")
        if await self._db.fetchval("SELECT 1 FROM everwire_clients WHERE user_id = $1 LIMIT 1", user) is None:
            await self._db.execute("DELETE FROM everwire_joined WHERE user_id = $1", user)
            await self._db.execute("DELETE FROM everwire_members WHERE user_id = $1", user)
            await self._forget_stream(user, "user")

    async def _forget_stream(self, user: str, name: str) -> None:
        row = await self._db.fetchrow(
            "DELETE FROM everwire_streams WHERE user_id = $1 AND name = $2 RETURNING id, newest", user, name
        )
        if row is not None:
            await self._db.execute("DELETE FROM everwire_events WHERE stream = $1", row[0])
            await self._db.execute("UPDATE everwire_memory SET forgotten = GREATEST(forgotten, $1)", row[1])

    async def _bound_streams(self, user: str) -> None:
        """The streams of the client ids that were seen longest ago make room; their `last` stays."""
        surplus = await self._db.fetch(
            "SELECT name FROM everwire_streams s JOIN everwire_clients c ON c.user_id = s.user_id"
            " AND s.name = 'client:' || c.client_id WHERE s.user_id = $1 ORDER BY c.seen_at DESC OFFSET $2",
            user,
            self._limits.streams_per_user,
        )
        for row in surplus:
            await self._forget_stream(user, row[0])

    async def _one(self, statement: str, *values: object) -> bool:
        return await self._count(statement, *values) == 1

    async def _count(self, statement: str, *values: object) -> int:
        status: str = await self._db.execute(statement, *values)
        return int(status.rsplit(" ", 1)[1])


@asynccontextmanager
async def _released(pool: Any, db: Any) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await pool.release(db)


def _read_change(user: str, name: str, what: int | str) -> Change | Takeover:
    """The offset of a stream, or the owner of a client id."""
    return Change(user, name, what) if isinstance(what, int) else Takeover(user, name, what)


_SAVEPOINT = "SAVEPOINT everwire"
_RELEASE = "RELEASE SAVEPOINT everwire"
_TRIM_EVERY = 64
_SWEEP = 2000
_TIMEOUT_S = 20
_CHANGES_PER_NOTIFICATION = 20
