"""`publish` in a transaction of the application's own: an HTTP handler, a Celery task, a script.

The event is stored if and when that transaction commits, and every process that has the user connected notices: through the
table on SQLite, through NOTIFY on PostgreSQL. Nothing has to run in the process that publishes.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, cast

from . import frames

_CHANNEL = "everwire"

_NEXT = (
    "UPDATE everwire_streams SET newest = newest + 1 WHERE user_id = {user} AND name = {stream} RETURNING id, newest"
)
_STORE = (
    'INSERT INTO everwire_events (stream, "offset", stored_at, origin, frame)'
    " VALUES ({id}, {offset}, {now}, {origin}, {frame})"
)
_NOTIFY = "SELECT pg_notify({channel}, {payload})"


async def publish(session: Any, user: str, kind: str, data: Mapping[str, Any], *, stream: str = "user") -> int | None:
    """Stores an event through a SQLAlchemy `AsyncSession` or `AsyncConnection`, or an asyncpg connection, on the database of
    the `Store`. Returns its offset; `None` if the user has never said `hello`, then nothing is stored."""
    event = _Event(user, stream, frames.event(kind, data))
    if hasattr(session, "fetchrow"):
        row = await session.fetchrow(*event.numbered(_NEXT, "user", "stream"))
        if row is None:
            return None
        event.place(row[0], row[1])
        await session.execute(*event.numbered(_STORE, "id", "offset", "now", "origin", "frame"))
        await session.execute(*event.numbered(_NOTIFY, "channel", "payload"))
        return event.offset
    text = _text()
    row = (await session.execute(text(event.named(_NEXT)), event.values)).first()
    if row is None:
        return None
    event.place(row[0], row[1])
    await session.execute(text(event.named(_STORE)), event.values)
    connection = await session.connection() if hasattr(session, "sync_session") else session
    if connection.dialect.name == "postgresql":
        await session.execute(text(event.named(_NOTIFY)), event.values)
    return event.offset


def publish_sync(session: Any, user: str, kind: str, data: Mapping[str, Any], *, stream: str = "user") -> int | None:
    """The same through a SQLAlchemy `Session` or `Connection`, or a `sqlite3.Connection`."""
    event = _Event(user, stream, frames.event(kind, data))
    if isinstance(session, sqlite3.Connection):
        row = session.execute(event.named(_NEXT), event.values).fetchone()
        if row is None:
            return None
        event.place(row[0], row[1])
        session.execute(event.named(_STORE), event.values)
        return event.offset
    text = _text()
    row = session.execute(text(event.named(_NEXT)), event.values).first()
    if row is None:
        return None
    event.place(row[0], row[1])
    session.execute(text(event.named(_STORE)), event.values)
    if (session.get_bind() if hasattr(session, "get_bind") else session).dialect.name == "postgresql":
        session.execute(text(event.named(_NOTIFY)), event.values)
    return event.offset


class _Event:
    def __init__(self, user: str, stream: str, frame: str) -> None:
        frames.check_name("user", user)
        frames.check_name("stream", stream)
        now = int(time.time() * 1000)
        self.values: dict[str, Any] = {"user": user, "stream": stream, "frame": frame, "now": now, "origin": ""}
        self.values["channel"] = _CHANNEL

    def place(self, stream_id: int, offset: int) -> None:
        self.values |= {"id": stream_id, "offset": offset}
        self.values["payload"] = json.dumps([[self.values["user"], self.values["stream"], offset]], ensure_ascii=False)

    @property
    def offset(self) -> int:
        return cast(int, self.values["offset"])

    def named(self, statement: str) -> str:
        return statement.format_map({name: f":{name}" for name in _NAMES})

    def numbered(self, statement: str, *names: str) -> tuple[Any, ...]:
        places = {name: f"${n}" for n, name in enumerate(names, 1)}
        return statement.format_map(places), *(self.values[name] for name in names)


def _text() -> Any:
    from sqlalchemy import text

    return text


_NAMES = ("user", "stream", "id", "offset", "now", "origin", "frame", "channel", "payload")
