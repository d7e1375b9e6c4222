"""What passes between nodes besides the database: hints that wake, events at most once, and who is online. It decides nothing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..store import Change, Takeover


@dataclass(frozen=True, slots=True)
class ToUser:
    user: str


@dataclass(frozen=True, slots=True)
class ToRoom:
    """Users who have joined the room on the other node, and these, who may be connected there, but not those who have had it."""

    room: str
    users: Sequence[str] = ()
    but: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ToEveryone:
    pass


Address = ToUser | ToRoom | ToEveryone


class Listener(Protocol):
    """What a bus tells its node. Called on the event loop."""

    def users(self) -> Iterable[str]:
        """Who is connected to this node."""

    def heard_changes(self, changes: Sequence[Change | Takeover] | None) -> None:
        """Another node has committed these. `None`: some may have been missed."""

    def heard_event(self, to: Address, frame: str) -> None: ...

    def heard_presence(self, user: str, *, online: bool) -> None:
        """The user's first connection to any node has come, or the last has gone. One node hears of it."""


class Bus(Protocol):
    """Nothing here waits and nothing raises: what cannot be sent is lost."""

    @property
    def is_up(self) -> bool: ...

    async def open(self, listener: Listener) -> None:
        """Begins to connect. A server that is away is tried again until it is there."""

    async def close(self) -> None: ...

    def wake(self, changes: Sequence[Change | Takeover]) -> None: ...

    def tell(self, to: Address, frame: str) -> None: ...

    def came(self, user: str) -> None:
        """The user's first connection to this node."""

    def left(self, user: str) -> None:
        """The last one has gone."""

    async def online(self, users: Collection[str]) -> set[str]:
        """Who of these is connected to any node, as far as it is known: to this one while the bus is away."""
