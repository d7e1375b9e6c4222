"""One WebSocket: a reader that hands in what arrives, and a sender that is woken."""

import asyncio
import logging
import time
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from . import frames
from .engine import Engine
from .envelope import HELLO_BYTES, Frame, read
from .hello import read_hello
from .peer import Arrived, Peer
from .rate import Bucket
from .refusal import Refuse
from .report import describe
from .store import StoreError
from .token import Identity

log = logging.getLogger("everwire")

_PAGE = 100
_CLOSING_S = 5.0
_OPENING_S = 5.0
_PINGS_WAIT_S = 2.0
_SMALL_BYTES = 512


async def refuse_surplus(engine: Engine, websocket: WebSocket, identity: Identity) -> bool:
    """Closes a connection that its user has too many of."""
    is_surplus = len(engine.connections(identity.user)) >= engine.limits.connections_per_user
    if is_surplus:
        await _close(websocket, 1013, "too many connections")
    return is_surplus


async def serve(engine: Engine, websocket: WebSocket, identity: Identity) -> None:
    """Runs an accepted connection to its end."""
    now = time.monotonic()
    messages = engine.rates.bucket(identity.user, "message", now)
    peer = Peer(identity, now, engine.limits.window, messages, heard_at=now)
    try:
        try:
            await _open(engine, peer)
        except TimeoutError:
            peer.close(1013, "busy")
            await _close(websocket, 1013, "busy")
            return
        except StoreError as error:
            log.error("the store is away: %s", type(error.__cause__ or error).__name__)
            peer.close(1011, "storage is away")
            await _close(websocket, 1011, "storage is away")
            return
        sender = asyncio.create_task(_Sender(engine, websocket, peer).run())
        reader = asyncio.create_task(_Reader(engine, websocket, peer, time.monotonic() - now).run())
        peer.cut = lambda: _cut(websocket, sender)
        await asyncio.wait([sender, reader], return_when=asyncio.FIRST_COMPLETED)
        if peer.closing is not None:
            # The sender says goodbye; the other side has a while to answer.
            await asyncio.wait([reader], timeout=_CLOSING_S)
        for task in (sender, reader):
            task.cancel()
        for result in await asyncio.gather(sender, reader, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, _GONE):
                log.error("a connection failed: %s", describe(result))
    finally:
        peer.close(1006)
        engine.remove(peer)
        engine.metrics.count("ws_closed_total", code=str(peer.closing.code if peer.closing else 1006))
        await engine.keeper.left(peer)


async def _open(engine: Engine, peer: Peer) -> None:
    """Raises `TimeoutError` in time for a hello, which is not read meanwhile and must not be left without an answer."""
    opening = asyncio.ensure_future(engine.add(peer))
    # Nobody asks for the outcome of one that was given up.
    opening.add_done_callback(lambda task: task.cancelled() or task.exception())
    try:
        await asyncio.wait({opening}, timeout=_OPENING_S)
        if not opening.done():
            raise TimeoutError
        opening.result()
    finally:
        # Not waited for: a driver asks the server to cancel a query, and waits for one that hangs.
        opening.cancel()


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    with suppress(*_GONE):
        await websocket.close(code, reason)


class _Reader:
    def __init__(self, engine: Engine, websocket: WebSocket, peer: Peer, unread_s: float) -> None:
        """`unread_s` is for how long what came was not read."""
        self._engine = engine
        self._websocket = websocket
        self._peer = peer
        self._unread_s = unread_s
        self._max_bytes = engine.limits.max_message_bytes
        now = time.monotonic()
        self._pings = engine.rates.bucket(peer.user, "ping", now)

    async def run(self) -> None:
        peer = self._peer
        receive = self._websocket.receive
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                peer.close(message.get("code", 1005))
                return
            if peer.closing is not None:
                continue
            peer.heard_at = time.monotonic()
            text = message.get("text")
            if text is None:
                peer.close(1003, "text only")
                continue
            frame = await self._read(text)
            if self._engine.observer is not None:
                self._engine.observer.received(peer, frame, text)
            if frame.type == "hello" and not frame.seq and frame.problem is None:
                await self._hello(frame)
            elif frame.type == "ping" and not frame.seq and frame.problem is None:
                await self._ping(frame)
            else:
                await self._message(frame, text)

    async def _read(self, text: str) -> Frame:
        # A frame that may have to be searched for its number would hold up everyone.
        if len(text) > HELLO_BYTES:
            return await asyncio.to_thread(read, text, self._max_bytes)
        return read(text, self._max_bytes)

    async def _hello(self, frame: Frame) -> None:
        peer = self._peer
        if self._pings.wait(time.monotonic()) > _PINGS_WAIT_S:
            # An `error` would say that this server does not know the reliable mode.
            peer.close(1013, "too many hellos")
            return
        await self._wait_for(self._pings)
        if any(item.frame.seq for item in peer.inbox):
            peer.close(4400, "hello while messages are unacknowledged")
            return
        try:
            hello = read_hello(frame.data)
        except Refuse as refusal:
            self._engine.metrics.count("ws_errors_total", code=refusal.code)
            self._engine.send(peer, frames.error(refusal.code, refusal.message, "hello"))
            return
        if not peer.hellos_waiting:
            peer.hello_at = time.monotonic() - (0 if peer.client_id else self._unread_s)
        peer.hellos_waiting += 1
        self._engine.writer.submit(peer, Arrived(frame, time.monotonic(), hello))

    async def _ping(self, frame: Frame) -> None:
        await self._wait_for(self._pings)
        if self._peer.queued and (self._peer.hellos_waiting or not self._peer.unpaid):
            # Behind what came before it: a pong before the welcome would say that this server does not know the reliable mode.
            self._engine.writer.submit(self._peer, Arrived(frame, time.monotonic()))
        else:
            self._engine.send(self._peer, frames.pong())

    async def _message(self, frame: Frame, text: str) -> None:
        peer = self._peer
        if frame.problem == "too_large" and not frame.seq:
            peer.close(1009, Refuse("too_large").message)
            return
        # Those with a number are charged when their turn comes, and wait for it here; others must not overtake them.
        if not frame.seq and not self._takes(frame):
            if not peer.queued:
                about = frame.type if frame.is_readable else None
                self._engine.metrics.count("ws_messages_total", type="other", outcome="limited")
                text = Refuse("rate_limited").message
                self._engine.send(peer, frames.error("rate_limited", text, about, named=frames.names(frame.data)))
                return
            # Its refusal must not overtake what the messages before it lead to.
            frame.problem = frame.problem or "rate_limited"
            frame.data = frames.named_part(frame.data)
        while peer.is_full and peer.closing is None:
            peer.room.clear()
            await peer.room.wait()
        if peer.closing is not None:
            return
        arrived = Arrived(frame, time.monotonic(), size=min(frame.size, self._max_bytes))
        if peer.inbox and frame.size > _SMALL_BYTES and frame.problem is None:
            # What is read takes many times the room of its text.
            arrived.text, frame.data = text, {}
        self._engine.writer.submit(peer, arrived)

    def _takes(self, frame: Frame) -> bool:
        if self._peer.unpaid:
            return False
        now = time.monotonic()
        handler = self._engine.handlers.get(frame.type or "")
        if handler is not None and handler.per_second is not None:
            bucket = self._engine.rates.bucket(self._peer.user, f"type {handler.type}", now, handler.per_second)
            return bucket.take(now)
        if self._peer.messages.take(now):
            return True
        joins = handler is not None and handler.joins and not self._peer.holds_back
        return joins and self._pings.take(now)

    async def _wait_for(self, bucket: Bucket) -> None:
        """Reads no further until the limit allows it; what has come is in the buffers of the network meanwhile."""
        while not bucket.take(time.monotonic()) and self._peer.closing is None:  # noqa: ASYNC110
            await asyncio.sleep(min(1.0, bucket.wait(time.monotonic()) + 0.001))


class _Sender:
    def __init__(self, engine: Engine, websocket: WebSocket, peer: Peer) -> None:
        self._engine = engine
        self._websocket = websocket
        self._peer = peer

    async def run(self) -> None:
        peer = self._peer
        while True:
            while peer.outgoing:
                await self._send(peer.next_outgoing())
            if peer.closing is None:
                # A reply goes out before the acknowledgement of its request, which waits for a page of each stream at most.
                for stream in list(peer.unread):
                    peer.unread.discard(stream)
                    await self._page(stream)
            if peer.ack is not None:
                seq, peer.ack = peer.ack, None
                await self._send(frames.ack(seq))
            elif peer.closing is not None:
                await self._websocket.close(peer.closing.code, peer.closing.reason)
                return
            elif not peer.outgoing and not peer.unread:
                peer.wake.clear()
                await peer.wake.wait()

    async def _page(self, stream: str) -> None:
        peer = self._peer
        position = peer.positions.get(stream)
        welcomes = peer.welcomes
        if position is None:
            return
        try:
            events = await self._engine.store.events(peer.user, stream, position, _PAGE)
        except StoreError as error:
            log.warning("cannot read events: %s", type(error.__cause__ or error).__name__)
            # They stay in the table; the slow poll looks again.
            return
        if len(events) == _PAGE:
            peer.unread.add(stream)
        for event in events:
            if event.offset > position + 1 and peer.welcomes == welcomes:
                # The history forgot them before they were sent.
                peer.told[stream] = peer.positions[stream] = event.offset - 1
                await self._send(frames.stream(stream, event.offset - 1))
            # A welcome that was made during a wait goes out first, and the stream is read again from the position in it.
            if peer.welcomes != welcomes:
                peer.unread.add(stream)
                return
            peer.positions[stream] = position = event.offset
            if not peer.caused(event.origin):
                told = peer.told.get(stream, position - 1)
                peer.told[stream] = position
                await self._send(frames.stored(event.frame, stream, position, told))

    async def _send(self, frame: str) -> None:
        peer = self._peer
        peer.sending_since = time.monotonic()
        await self._websocket.send({"type": "websocket.send", "text": frame})
        peer.sending_since = 0.0


def _cut(websocket: WebSocket, sender: "asyncio.Task[None]") -> None:
    """Ends a connection that takes nothing: a goodbye would wait in the same buffer. ASGI has no word for that."""
    protocol = getattr(getattr(websocket, "_receive", None), "__self__", None)
    transport = getattr(protocol, "transport", None)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    sender.cancel()


_GONE = (WebSocketDisconnect, RuntimeError, OSError)
