"""What the server needs of a database. `everwire.conformance` tests any implementation of it."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ..limits import Limits


class StoreError(Exception):
    """The database itself failed: nothing of the transaction is stored. The cause is `__cause__`."""


class StoreAway(StoreError):
    """The database cannot be reached now. That passes without anyone's doing, unlike a wrong password."""


class LowEpoch(StoreError):
    """The application wants an epoch that clients would not believe."""

    def __init__(self, wanted: int, stored: int) -> None:
        super().__init__(f"`epoch` is {wanted}, and must not be lower than {stored}, which the database has already")


class ContentRefused(StoreError):
    """The database works and refused what it was given, at the commit: the same content would be refused again."""


class Conflict(StoreError):
    """Another transaction was in the way: the same transaction may succeed if it is tried again."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    user: str
    stream: str
    frame: str
    """The envelope as JSON text, an object with at least one field, without `stream`, `offset` and `prev`."""
    origin: str = ""
    """The client id whose connection caused it, and is not given it."""


@dataclass(frozen=True, slots=True)
class Event:
    offset: int
    frame: str
    origin: str


@dataclass(frozen=True, slots=True)
class Change:
    """A stream has events up to this offset."""

    user: str
    stream: str
    offset: int


@dataclass(frozen=True, slots=True)
class Takeover:
    """Another connection may own the client id now; only a transaction can tell."""

    user: str
    client_id: str
    owner: str


class Transaction(Protocol):
    """One transaction. Two transactions that touch the same client id or stream behave as if one came after the other."""

    @property
    def native(self) -> Any:
        """The driver's connection or session, for the application's own statements. The library commits."""

    async def hello(self, user: str, client_id: str, owner: str, now: int) -> int:
        """Finds or makes the row of the client id, writes its owner, and returns its `last`."""

    async def position(self, user: str, stream: str, named: int | None, now: int) -> int:
        """Finds or begins the stream, and returns the position from which a connection that named this one carries it:
        the same if the history is whole from there, the oldest from which it is whole if that is more, and the newest offset
        if none was named or one beyond it. A stream begins at `max(now, the highest offset of any forgotten stream)`."""

    async def take(self, user: str, client_id: str, owner: str, prev: int, seq: int) -> bool:
        """Sets `last = seq` in the one row with this owner and `last = prev`. False if there is none: nothing may be
        processed then."""

    async def touch(self, user: str, client_id: str, owner: str, now: int) -> bool:
        """Notes that the client is there. False if another connection owns it by now."""

    async def disown(self, user: str, client_id: str, owner: str, now: int) -> None:
        """The connection that owns the client id has ended: it was seen until now, and has no owner."""

    async def append(self, events: Sequence[NewEvent], now: int) -> list[int | None]:
        """Stores events, each under the next offset of its stream, and forgets the oldest over the limits. Where a stream
        does not exist, nothing is stored and `None` returned."""

    async def join(self, user: str, client_id: str, room: str, keep: Collection[str] = ()) -> None:
        """The user may send to the room, and this client id has joined it for receiving. Of more rooms than `rooms_per_user` those
        that were joined first are left, but none of `keep`."""

    async def leave(self, user: str, room: str) -> None:
        """Ends both, for all client ids of the user."""

    async def leave_client(self, user: str, client_id: str, room: str, seen_since: int) -> list[str]:
        """This client id no longer receives the room's events. Returns the user's other client ids that have joined it, have an
        owner, and were seen at this time or later. Two transactions that do it for one user and room go one after the other."""

    async def joined(self, user: str, room: str) -> bool: ...

    async def members(self, room: str) -> list[str]:
        """Users whom the events of the room are for."""

    async def rooms(self, user: str) -> list[str]:
        """Rooms whose events are for the user."""

    async def lapse(self, user: str, client_id: str, keep: Iterable[str]) -> None:
        """The client id has not joined other rooms than these again: it no longer receives their events."""

    async def savepoint(self) -> None: ...

    async def rollback(self) -> None:
        """Undoes what came since the savepoint, and releases it."""

    async def release(self) -> None: ...


class Store(Protocol):
    writers: int
    """How many transactions may be under way at once."""

    async def open(self, limits: Limits) -> int:
        """Makes the tables if they are not there, and returns the epoch. Raises `StoreAway` if it is worth trying again."""

    async def close(self) -> None: ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits at the end, rolls back on an exception. Raises `StoreError` if the database fails, and `StoreAway` if it cannot
        have been for what was written."""

    async def events(self, user: str, stream: str, after: int, limit: int) -> list[Event]:
        """Committed events with an offset above `after`, in order."""

    async def newest(self, user: str, stream: str) -> int | None: ...

    async def changes(self) -> Sequence[Change | Takeover] | None:
        """Waits until events have been committed by anyone, this process or another, and names their streams, and client ids that
        have said hello. `None`: some may have been missed, look everywhere. Only hints: what is missed here is found by a slow poll."""

    async def forget(self, user: str, stream: str, upto: int) -> int:
        """Forgets events up to this offset, and returns how many."""

    async def sweep(self, now: int) -> None:
        """Forgets events past their age, and clients past `remember_ms` with what belongs to them."""


__all__ = [
    "Change",
    "Conflict",
    "ContentRefused",
    "Event",
    "NewEvent",
    "Store",
    "StoreAway",
    "StoreError",
    "Takeover",
    "Transaction",
]
