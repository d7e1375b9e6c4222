"""The limits of a server. Each protects it from one thing that a client can do."""

from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Limits:
    max_message_bytes: int = 10_240
    """The largest message, in UTF-8 bytes of the envelope without `seq` and `prev`. A larger one with a number is refused
    (`too_large`), one without ends the connection with 1009. Told to clients in `welcome`."""

    messages_per_minute: int = 100
    """Messages of one user over all connections of this process, repetitions included; 0 switches it off. Numbered ones
    over it wait, others are answered with `rate_limited`. Pings have the same limit of their own."""

    idle_timeout_s: float = 300.0
    """A connection that sends nothing for this long is closed with 1000. A client's heartbeat keeps it open."""

    send_timeout_s: float = 20.0
    """A client that takes nothing for this long is cut off."""

    handler_timeout_s: float = 10.0
    """A handler that takes longer fails as `internal`. It holds a transaction, so slow work belongs behind the commit."""

    connections_per_user: int = 50
    """More are closed with 1013."""

    connections: int = 20_000
    """Of all users, to this process. More are refused with HTTP 503."""

    window: int = 128
    """How many messages of a connection wait for processing; the server reads no further at that point. 1 to 1 024."""

    queue_frames: int = 256
    """What may wait for one connection besides stored events; a client further behind is closed with 1013."""

    queue_bytes: int = 1024 * 1024
    """The same in characters of JSON text. A single frame may be larger."""

    history_events: int = 1_000
    """Stored events of each stream; the oldest are forgotten."""

    history_bytes: int = 4 * 1024 * 1024
    """UTF-8 bytes of the stored events of each stream, kept to within 64 events."""

    history_age_ms: int = DAY_MS
    """How long an event is stored."""

    streams_per_user: int = 64
    """Client ids of one user that have a stream; the streams of those seen longest ago are forgotten, their `last` is not."""

    remember_ms: int = 7 * DAY_MS
    """How long `last` is kept after the last connection of a client id; 7 days at least. Told to clients in `welcome`."""

    event_bytes: int = 64 * 1024
    """The largest event that the application may publish, in UTF-8 bytes. A larger one raises `ValueError` at the call."""

    rooms_per_user: int = 100
    """Sessions that a user may be in on this process; a join beyond it is refused with `too_many_sessions`. The database keeps as
    many of a user: what has not been joined again makes room, the one joined first before others."""

    def __post_init__(self) -> None:
        if not 1 <= self.window <= 1024:
            raise ValueError("window must be from 1 to 1024")
        if self.remember_ms < 7 * DAY_MS:
            raise ValueError("remember_ms must be 7 days at least")
        if self.max_message_bytes < 256:
            raise ValueError("max_message_bytes must be 256 at least")

    @property
    def hard_max_bytes(self) -> int:
        """What the WebSocket implementation must read (`ws_max_size`), so that a message too large can be refused by
        its number. A frame beyond it ends the connection with 1009."""
        return max(64 * self.max_message_bytes, 1024 * 1024)


SEEN_WITHIN_MS = 150_000
"""A process that lives has noted within this time that its clients are here."""
