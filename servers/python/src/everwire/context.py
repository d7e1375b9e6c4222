"""What a handler can do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import frames
from .clock import now_ms
from .limits import SEEN_WITHIN_MS
from .moves import Move, Moves
from .refusal import Refuse
from .store import NewEvent, Transaction
from .store.endings import too_late

if TYPE_CHECKING:
    from .engine import Engine
    from .peer import Peer

AfterCommit = Callable[[], Awaitable[object] | object]


@dataclass(frozen=True, slots=True)
class RoomTell:
    """An event for a room. `elsewhere` are its stored members: those who get it on other nodes too, or have it already."""

    room: str
    frame: str
    elsewhere: tuple[str, ...] = ()


@dataclass(slots=True)
class Effects:
    """What is to happen if and when the transaction is committed."""

    events: list[NewEvent] = field(default_factory=list)
    tells: list[tuple[str, str, bool]] = field(default_factory=list)
    """User, frame, and whether the connection itself is left out."""
    room_tells: list[RoomTell] = field(default_factory=list)
    plain: list[RoomTell] = field(default_factory=list)
    """Stored for members; for those in the room on other nodes who have no stream they are at most once."""
    here: list[str] = field(default_factory=list)
    after: list[AfterCommit] = field(default_factory=list)


class Context:
    """Handed to a handler. Everything in it happens in the transaction that writes `last`, or after its commit, or not at all."""

    __slots__ = (
        "_engine",
        "_has_ended",
        "_moves",
        "_moves_before",
        "_peer",
        "_savepoint",
        "_tx",
        "effects",
        "request",
        "seq",
        "type",
    )

    def __init__(
        self, engine: "Engine", peer: "Peer", tx: Transaction, moves: Moves, kind: str, seq: int, request: bool
    ) -> None:
        self._engine = engine
        self._peer = peer
        self._tx = tx
        self._moves = moves
        self._moves_before = moves.count(peer.user)
        self._savepoint = False
        self._has_ended = False
        self.effects = Effects()
        self.type = kind
        self.seq = seq
        """The number of the message, 0 if it has none and so is at most once."""
        self.request = request

    @property
    def user(self) -> str:
        return self._peer.user

    @property
    def client_id(self) -> str:
        """With `seq` the key of the message: unique per user. Empty before `hello`."""
        return self._peer.client_id

    async def db(self) -> Any:
        """The driver's connection, inside the transaction: `sqlite3.Connection` or `asyncpg.Connection`. Do not commit. What is done here
        is undone if the handler refuses or fails. Keep neither it nor the context: once the handler has ended, they raise
        `TransactionMisuseError`."""
        await self._guard()
        return self._tx.native

    def publish(
        self, user: str, kind: str, data: Mapping[str, Any], *, stream: str = "user", echo: bool = True
    ) -> None:
        """Stores an event for a user, who gets it exactly once, on every device, also when they come later. Users who have never
        said `hello` get it if they are connected. `echo=False` leaves out the connection that sent this message."""
        self._check("publish()")
        self.effects.events.append(self._engine.event(user, kind, data, stream, "" if echo else self._peer.origin))

    def tell(self, user: str, kind: str, data: Mapping[str, Any], *, echo: bool = True) -> None:
        """Sends an event to the connections that the user has now, at most once, after the commit."""
        self._check("tell()")
        frames.check_name("user", user)
        self.effects.tells.append((user, frames.event(kind, data), echo))

    def answer(self, kind: str, data: Mapping[str, Any]) -> None:
        """Sends an event to this connection only, at most once, after the commit."""
        self._check("answer()")
        self.effects.here.append(frames.event(kind, data))

    def after_commit(self, call: AfterCommit) -> None:
        """Runs a function after the commit, once, if this process lives: for what is slow or cannot be undone. It may be async."""
        self._check("after_commit()")
        self.effects.after.append(call)

    async def join(self, room: str) -> None:
        """The user is in the room from now on. Who is in `rooms_per_user` others is refused with `too_many_sessions`."""
        await self._guard()
        rooms = self._moves.rooms(self.user)
        most = self._engine.limits.rooms_per_user
        if room not in rooms and len(rooms) >= most:
            raise Refuse("too_many_sessions", f"a user can be in {most} sessions at most")
        if self.client_id:
            await self._tx.join(self.user, self.client_id, room, rooms)
        self._moves.add(self._peer, room, Move.JOINED)

    async def leave(self, room: str) -> None:
        """This client is no longer in the room. The user is as long as another client of theirs that is connected has joined it.
        A message that came by other means than a connection of the library's ends it for all."""
        await self._guard()
        stored = await self._tx.leave_client(self.user, self.client_id, room, now_ms() - SEEN_WITHIN_MS)
        if self._moves.stays_in(self._peer, room, stored):
            self._moves.add(self._peer, room, Move.LEFT_HERE)
        else:
            await self._tx.leave(self.user, room)
            self._moves.add(self._peer, room, Move.LEFT)

    async def joined(self, room: str) -> bool:
        """Whether this message may go to the room: a numbered one if the user has joined ever and not left, others if they have
        since they were last without a connection."""
        if room in self._moves.rooms(self.user):
            return True
        if not self.seq:
            return False
        await self._guard()
        return await self._tx.joined(self.user, room)

    async def members(self, room: str) -> list[str]:
        """Users whom events of the room are for, whether or not they are connected."""
        await self._guard()
        stored = await self._tx.members(room)
        return list(dict.fromkeys([*stored, *self._moves.users(room)]))

    async def publish_to_room(
        self, room: str, kind: str, data: Mapping[str, Any], *, skip: str | None = None, echo: bool = False
    ) -> None:
        """`publish` for everyone in the room, the user's other devices included."""
        frame = self._engine.frame(kind, data)
        origin = "" if echo else self._peer.origin
        members = await self.members(room)
        for user in members:
            if user != skip:
                self.effects.events.append(NewEvent(user, "user", frame, origin))
        had = members if skip is None else [*members, skip]
        self.effects.plain.append(RoomTell(room, frame, tuple(had)))

    async def tell_room(self, room: str, kind: str, data: Mapping[str, Any]) -> None:
        """`tell` for everyone who is connected, except for this connection."""
        self._check("tell_room()")
        elsewhere: list[str] = []
        if self._engine.bus is not None:
            await self._guard()
            elsewhere = await self._tx.members(room)
        self.effects.room_tells.append(RoomTell(room, frames.event(kind, data), tuple(elsewhere)))

    def _check(self, what: str) -> None:
        if self._has_ended:
            raise too_late(what)

    async def _guard(self) -> None:
        self._check("the use of the database")
        if not self._savepoint:
            self._savepoint = True
            await self._tx.savepoint()

    async def finish(self, *, keep: bool) -> None:
        """Ends the handler's part of the transaction."""
        self._has_ended = True
        if self._savepoint:
            await (self._tx.release() if keep else self._tx.rollback())
        if not keep:
            self.effects = Effects()
            self._moves.undo(self._peer.user, self._moves_before)
