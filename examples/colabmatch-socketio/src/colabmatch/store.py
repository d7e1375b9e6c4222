"""Matches and their messages, in SQLite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiosqlite


@dataclass(frozen=True, slots=True)
class Match:
    id: str
    users: tuple[str, str]
    active: bool

    def partner(self, user: str) -> str | None:
        """The other one, if `user` is one of the two."""
        first, second = self.users
        return second if user == first else first if user == second else None


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    match_id: str
    sender_id: str
    content: str
    created_at: str
    read_at: str | None
    client_id: str | None

    def event(self) -> dict[str, Any]:
        """The payload of `new_message`."""
        named = {} if self.client_id is None else {"clientId": self.client_id}
        return {
            "id": str(self.id),
            "matchId": self.match_id,
            "senderId": self.sender_id,
            "content": self.content,
            "createdAt": self.created_at,
            "readAt": self.read_at,
            **named,
        }


class MatchTaken(Exception):
    """There is a match of that id between other users."""


class Store:
    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def open(cls, path: str) -> AsyncIterator["Store"]:
        async with aiosqlite.connect(path) as database:
            await database.executescript(SCHEMA)
            yield cls(database)

    async def make_match(self, match_id: str, users: tuple[str, str]) -> None:
        """Making it twice is the same as making it once."""
        insert = "INSERT INTO matches (id, first_user, second_user) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
        await self._database.execute(insert, (match_id, *users))
        await self._database.commit()
        match = await self.match(match_id)
        if match is None or set(match.users) != set(users):
            raise MatchTaken(match_id)

    async def set_active(self, match_id: str, active: bool) -> bool:
        """Says whether there is such a match."""
        update = "UPDATE matches SET active = ? WHERE id = ?"
        cursor = await self._database.execute(update, (active, match_id))
        await self._database.commit()
        return cursor.rowcount == 1

    async def match(self, match_id: str) -> Match | None:
        rows = await self._database.execute_fetchall(f"{SELECT_MATCH} WHERE id = ?", (match_id,))
        return next((_match(row) for row in rows), None)

    async def partners(self, user: str) -> list[str]:
        """Everyone with whom a user is matched."""
        query = f"{SELECT_MATCH} WHERE first_user = ? OR second_user = ?"
        rows = await self._database.execute_fetchall(query, (user, user))
        partners = (_match(row).partner(user) for row in rows)
        return sorted({partner for partner in partners if partner is not None})

    async def add(self, match_id: str, sender: str, content: str, client_id: str | None) -> tuple[Message, bool]:
        """Stores a message and says whether it is new: one with the same `client_id` is stored once."""
        insert = (
            "INSERT INTO messages (match_id, sender_id, content, created_at, client_id) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (match_id, sender_id, client_id) DO NOTHING"
        )
        row = (match_id, sender, content, _now(), client_id)
        cursor = await self._database.execute(insert, row)
        is_new = cursor.rowcount == 1
        if is_new:
            where, values = "id = ?", (cursor.lastrowid,)
        else:
            where, values = "match_id = ? AND sender_id = ? AND client_id = ?", (match_id, sender, client_id)  # type: ignore[assignment]
        rows = await self._database.execute_fetchall(f"{SELECT_MESSAGE} WHERE {where}", values)
        await self._database.commit()
        return next(_message(row) for row in rows), is_new

    async def read(self, match_id: str, reader: str, message_id: int) -> str | None:
        """Marks a message of the other user, and all of theirs before it, as read now. `None` if there is nothing to mark."""
        now = _now()
        update = (
            "UPDATE messages SET read_at = ? WHERE match_id = ? AND sender_id <> ? AND id <= ? AND read_at IS NULL "
            "AND EXISTS (SELECT 1 FROM messages WHERE id = ? AND match_id = ? AND sender_id <> ?)"
        )
        values = (now, match_id, reader, message_id, message_id, match_id, reader)
        cursor = await self._database.execute(update, values)
        await self._database.commit()
        return now if cursor.rowcount > 0 else None

    async def history(self, match_id: str, before: int | None, limit: int) -> list[Message]:
        """The last messages before an id, oldest first."""
        query = f"{SELECT_MESSAGE} WHERE match_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
        rows = await self._database.execute_fetchall(query, (match_id, LARGEST_ID if before is None else before, limit))
        return [_message(row) for row in rows][::-1]


def _match(row: Any) -> Match:
    match_id, first, second, active = row
    return Match(match_id, (first, second), bool(active))


def _message(row: Any) -> Message:
    return Message(*row)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


LARGEST_ID = 2**63 - 1
SELECT_MATCH = "SELECT id, first_user, second_user, active FROM matches"
SELECT_MESSAGE = "SELECT id, match_id, sender_id, content, created_at, read_at, client_id FROM messages"
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS matches (
    id TEXT PRIMARY KEY, first_user TEXT NOT NULL, second_user TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, match_id TEXT NOT NULL, sender_id TEXT NOT NULL, content TEXT NOT NULL,
    created_at TEXT NOT NULL, read_at TEXT, client_id TEXT, UNIQUE (match_id, sender_id, client_id)
);
CREATE INDEX IF NOT EXISTS messages_of_match ON messages (match_id, id);
"""
