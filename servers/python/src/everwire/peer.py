"""One connection, as the server knows it."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .envelope import Frame
from .hello import Hello
from .rate import Bucket
from .token import Identity


@dataclass(slots=True)
class Closing:
    code: int
    reason: str


@dataclass(slots=True, eq=False)
class Arrived:
    """What waits for its turn."""

    frame: Frame
    at: float
    hello: Hello | None = None
    size: int = 0
    is_paid: bool = True
    """Whether it no longer waits for the rate limit."""
    text: str | None = None
    """What `data` has to be read from again."""


@dataclass(slots=True, eq=False)
class Peer:
    identity: Identity
    opened_at: float
    window: int
    messages: Bucket
    """What the user may still send, over all connections."""
    key: str = field(default_factory=lambda: secrets.token_hex(8))

    # What came in and waits for the writer.
    inbox: deque[Arrived] = field(default_factory=deque)
    inbox_size: int = 0
    hellos_waiting: int = 0
    hello_at: float = 0.0
    """When the first of them came."""
    queued: bool = False
    """It waits for a writer, or one is at it."""
    unpaid: int = 0
    """How many messages of the inbox wait for the rate limit."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    """There is room in the inbox, or the connection is closing."""

    # The reliable mode. `client_id` is empty until the first hello is processed.
    client_id: str = ""
    client_ids: set[str] = field(default_factory=set)
    owner: str = ""
    last: int = 0
    welcomes: int = 0
    """How many there were: what was read for the time before one must not be sent between its making and its sending."""
    welcomed_at: float = 0.0
    """When the last of them was made."""
    touched_at: float = 0.0
    """When the database last noted that the client is here."""
    joined: set[str] = field(default_factory=set)
    """The rooms that were joined on this connection and not left."""
    lapsed: bool = False
    """Whether memberships that were not joined again since the last welcome have ended."""

    # What goes out. The sender reads stored events from the table behind these positions.
    positions: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    """The positions that the client has. They differ where the newest events were caused by this connection."""
    unread: set[str] = field(default_factory=set)
    """Streams that may have events behind the position."""
    outgoing: deque[str] = field(default_factory=deque)
    outgoing_size: int = 0
    ack: int | None = None
    acked_at: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sending_since: float = 0.0
    """When the frame that is being sent was begun; 0 while none is."""

    heard_at: float = 0.0
    closing: Closing | None = None
    cut: Callable[[], None] = lambda: None
    """Ends the connection without a goodbye."""

    @property
    def user(self) -> str:
        return self.identity.user

    @property
    def origin(self) -> str:
        """Names this connection in the events that it causes."""
        return self.client_id or self.key

    def caused(self, origin: str) -> bool:
        return bool(origin) and (origin in self.client_ids or origin == self.key)

    def push(self, arrived: Arrived) -> None:
        self.inbox.append(arrived)
        self.inbox_size += arrived.size
        self.unpaid += not arrived.is_paid

    def pop(self) -> Arrived:
        arrived = self.inbox.popleft()
        self.inbox_size -= arrived.size
        self.unpaid -= not arrived.is_paid
        return arrived

    def put_back(self, arrived: list[Arrived]) -> None:
        """They come next after all, and have paid already."""
        self.hellos_waiting += sum(item.hello is not None for item in arrived)
        if self.closing is not None:
            return
        for item in reversed(arrived):
            item.is_paid = True
            self.inbox.appendleft(item)
            self.inbox_size += item.size

    @property
    def is_full(self) -> bool:
        """The server reads no further."""
        return len(self.inbox) >= self.window or self.inbox_size >= _INBOX_BYTES

    @property
    def holds_back(self) -> bool:
        """A numbered message may wait here."""
        return bool(self.client_id) and bool(self.inbox)

    def close(self, code: int, reason: str = "") -> None:
        """Ends the connection after what is ready to go out; the first reason counts."""
        if self.closing is None:
            self.closing = Closing(code, reason)
            self.inbox.clear()
            self.inbox_size = self.unpaid = 0
            self.wake.set()
            self.room.set()

    def send(self, frame: str) -> None:
        self.outgoing.append(frame)
        self.outgoing_size += len(frame)
        self.wake.set()

    def next_outgoing(self) -> str:
        frame = self.outgoing.popleft()
        self.outgoing_size -= len(frame)
        return frame

    def acknowledge(self, now: float) -> None:
        self.ack = self.last
        self.acked_at = now
        self.wake.set()

    def stored(self, stream: str, offset: int) -> None:
        """There are events up to this offset."""
        if stream in self.positions and self.positions[stream] < offset:
            self.unread.add(stream)
            self.wake.set()


_INBOX_BYTES = 256 * 1024
