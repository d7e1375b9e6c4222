"""Processes what connections have submitted, many messages in one transaction."""

import asyncio
import logging
import math
import time
from collections import deque
from typing import TYPE_CHECKING

from .bus import ToRoom
from .clock import now_ms
from .envelope import Frame, read
from .moves import Moves
from .peer import Arrived, Peer
from .play import HelloTooLate, Outcome, Played, play
from .report import describe
from .store import Conflict, ContentRefused, StoreAway, StoreError
from .store.failures import is_of_storage

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger("everwire")

_PEERS_PER_BATCH = 64
# While one transaction waits for the disk, the acknowledgements of the last bring the messages of the next.
_MESSAGES_PER_BATCH = 1024
_BYTES_PER_BATCH = 512 * 1024
_TRIES = 3
# Handlers that wait hold up everyone who shares the transaction with them, hellos too.
_LONGEST_S = 1.0


class Writer:
    """`run` may run as often as the store takes transactions at once."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._ready: deque[Peer] = deque()
        self._work = asyncio.Event()
        self.unstored_at = -math.inf
        """When a message could not be stored last, by the monotonic clock, for want of room or rights."""

    def open(self) -> None:
        """Begins in the event loop that runs now."""
        self._ready.clear()
        self._work = asyncio.Event()

    def submit(self, peer: Peer, arrived: Arrived) -> None:
        if arrived.frame.seq and (peer.unpaid or not peer.messages.take(arrived.at)):
            arrived.is_paid = False
        peer.push(arrived)
        if not peer.queued:
            peer.queued = True
            self._queue(peer)

    async def process_alone(self, peer: Peer, frame: Frame) -> None:
        """For a message that no connection carries. Raises `StoreError`."""
        for outcome in await self._transact([(peer, [Arrived(frame, time.monotonic())])], refuse=False):
            self._settle(outcome)

    async def run(self) -> None:
        while True:
            while not self._ready:
                self._work.clear()
                await self._work.wait()
            peers: list[Peer] = []
            share = max(1, min(_PEERS_PER_BATCH, -(-len(self._ready) // self._engine.store.writers)))
            # A welcome does not wait for the handlers of others.
            while self._ready and len(peers) < share and (not peers or _greets(self._ready[0]) == _greets(peers[0])):
                peers.append(self._ready.popleft())
            most = max(1, _MESSAGES_PER_BATCH // len(peers))
            bytes_each = _BYTES_PER_BATCH // len(peers)
            work = [(peer, self._take(peer, most, bytes_each)) for peer in peers]
            try:
                await self._process([(peer, items) for peer, items in work if items])
            except Exception as error:
                log.error("a batch failed: %s", describe(error))
                for peer in peers:
                    peer.close(1011, "internal error")
            # Those for whom there was no time come first.
            for peer, items in sorted(work, key=_was_played):
                peer.hellos_waiting -= sum(item.hello is not None for item in items)
                self._queue_again(peer)
                peer.room.set()

    def _take(self, peer: Peer, most: int, most_bytes: int) -> list[Arrived]:
        """What can be processed together: one hello, or messages up to the next or to the rate limit."""
        inbox = peer.inbox
        now = time.monotonic()
        items: list[Arrived] = []
        size = 0
        while inbox and len(items) < most and (not items or size + inbox[0].size <= most_bytes):
            if inbox[0].hello is not None and items:
                break
            if not inbox[0].is_paid and (items or not peer.messages.take(now)):
                # One that has waited comes alone, so that connections of a user take turns.
                break
            item = peer.pop()
            size += item.size
            if item.text is not None:
                item.frame = read(item.text, self._engine.limits.max_message_bytes)
            items.append(item)
            if item.hello is not None or not item.is_paid:
                break
        return items

    def _queue_again(self, peer: Peer) -> None:
        if not peer.inbox:
            peer.queued = False
            return
        wait = 0.0 if peer.inbox[0].is_paid else peer.messages.wait(time.monotonic())
        if wait > 0:
            asyncio.get_running_loop().call_later(min(wait, 1.0), self._queue_again, peer)
        else:
            self._queue(peer)

    def _queue(self, peer: Peer) -> None:
        if _greets(peer):
            # A client that gets no welcome takes this server for one without the reliable mode.
            self._ready.appendleft(peer)
        else:
            self._ready.append(peer)
        self._work.set()

    async def _process(self, work: list[tuple[Peer, list[Arrived]]]) -> None:
        if not work:
            return
        try:
            outcomes = await self._transact(work, refuse=False)
        except StoreAway as error:
            self._close(work, error)
            return
        except Exception as error:
            if len(work) == 1 and len(work[0][1]) == 1:
                await self._failed(work[0], error)
                return
            # One of them may be why: each alone.
            for peer, items in work:
                for item in items:
                    if peer.closing is None:
                        await self._process([(peer, [item])])
            return
        for outcome in outcomes:
            self._settle(outcome)

    async def _failed(self, one: tuple[Peer, list[Arrived]], error: Exception) -> None:
        if isinstance(error, HelloTooLate):
            return
        for _ in range(_TRIES):
            if isinstance(error, StoreError) and not isinstance(error, ContentRefused | Conflict):
                break
            if not isinstance(error, StoreError):
                log.error("the message %s failed behind its handler: %s", one[1][0].frame.type, describe(error))
            try:
                for outcome in await self._transact([one], refuse=not isinstance(error, Conflict)):
                    self._settle(outcome)
                return
            except Exception as again:
                error = again
        self._close([one], error)

    def _close(self, work: list[tuple[Peer, list[Arrived]]], error: Exception) -> None:
        log.error("the store failed: %s", type(error.__cause__ or error).__name__)
        code = 1011
        if is_of_storage(error):
            self.unstored_at = time.monotonic()
            # Clients take 1011 for an answer to a message, and give up the one that gets it again and again.
            code = 1013
        for peer, _ in work:
            self._engine.metrics.count("ws_errors_total", code="store")
            peer.close(code, "storage failed")

    async def _transact(self, work: list[tuple[Peer, list[Arrived]]], *, refuse: bool) -> list[Outcome]:
        moves = Moves(self._engine)
        async with self._engine.store.transaction() as tx:
            outcomes: list[Outcome] = []
            until = time.monotonic() + _LONGEST_S
            for peer, items in work:
                if outcomes and time.monotonic() > until:
                    outcomes.append(Outcome(peer, left=items))
                else:
                    outcomes.append(await play(self._engine, tx, moves, peer, items, refuse=refuse, until=until))
            events = [event for outcome in outcomes for event in outcome.events]
            offsets = await tx.append(events, now_ms()) if events else []
        moves.apply()
        self._engine.announce(events, offsets)
        return outcomes

    def _settle(self, outcome: Outcome) -> None:
        """After the commit."""
        peer = outcome.peer
        engine = self._engine
        now = time.monotonic()
        if outcome.welcome is not None:
            engine.welcome(peer, outcome.welcome)
        for frame in outcome.frames:
            engine.send(peer, frame)
        for user, frame, echo in outcome.tells:
            engine.tell(user, frame, None if echo else peer)
        for tell in outcome.room_tells:
            engine.tell_room(tell, peer)
        if engine.bus is not None:
            for tell in outcome.plain:
                engine.bus.tell(ToRoom(tell.room, but=tell.elsewhere), tell.frame)
        if outcome.last is not None:
            peer.last = outcome.last
            peer.acknowledge(now)
        for call in outcome.after:
            engine.later(call)
        if outcome.left:
            peer.put_back(outcome.left)
        if outcome.close is not None:
            peer.close(*outcome.close)
        for played in outcome.played:
            self._measure(played, now)

    def _measure(self, played: Played, now: float) -> None:
        kind = played.type if played.type is not None and played.type in self._engine.handlers else "other"
        self._engine.metrics.count("ws_messages_total", type=kind, outcome=played.outcome)
        self._engine.metrics.observe("ws_message_latency_seconds", now - played.at)
        if played.code is not None:
            self._engine.metrics.count("ws_errors_total", code=played.code)


def _greets(peer: Peer) -> bool:
    return bool(peer.inbox) and peer.inbox[0].hello is not None


def _was_played(one: tuple[Peer, list[Arrived]]) -> bool:
    peer, items = one
    return not (items and peer.inbox and peer.inbox[0] is items[0])
