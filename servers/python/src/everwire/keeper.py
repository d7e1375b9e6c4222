"""What happens without anyone's message: deadlines, repeated acknowledgements, what other processes have stored, and sweeping."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import frames
from .clock import now_ms
from .peer import Peer
from .report import describe
from .store import Change, StoreError, Takeover

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger("everwire")

_TICK_S = 0.5
_ACK_AGAIN_S = 2.0
_PING_WAITS_S = 1.0
# Clients give up a connection on which they have no welcome after 10 s, and then this server's reliable mode.
_HELLO_WAITS_S = 8.0
_SLOW_POLL_S = 15.0
_DEAF_POLL_S = 1.0
_MEMBERSHIP_LAPSES_S = 60.0
_TOUCH_S = 60.0
_SWEEP_S = 60.0


class Keeper:
    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    async def watch(self) -> None:
        """Learns of events that other processes, or transactions of the application, have stored."""
        while True:
            try:
                await self._changed(await self._engine.store.changes())
            except Exception as error:
                _complain("cannot watch the store", error)
                await asyncio.sleep(1)
                self._engine.look_everywhere()

    async def look_after_connections(self) -> None:
        polled = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            for peer in list(self._engine.peers):
                self._look_after(peer, now)
            bus = self._engine.bus
            is_deaf = bus is not None and not bus.is_up
            if now - polled > (_DEAF_POLL_S if is_deaf else _SLOW_POLL_S):
                polled = now
                self._engine.look_everywhere()

    async def look_after_store(self) -> None:
        """By itself, because a store that is away may hold it up for long."""
        swept = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            try:
                await self._changed(())
                await self._keep_clients(now)
                if now - swept > _SWEEP_S:
                    swept = now
                    self._engine.rates.sweep(now, set(self._engine.users()))
                    await self._engine.store.sweep(now_ms())
            except Exception as error:
                _complain("cannot keep the store", error)

    async def _changed(self, changes: Sequence[Change | Takeover] | None) -> None:
        self._engine.heard_changes(changes)
        await self._keep([peer for peer in self._engine.take_doubtful() if peer.closing is None])

    def _look_after(self, peer: Peer, now: float) -> None:
        if peer.client_id and peer.queued and now - peer.acked_at >= _ACK_AGAIN_S:
            peer.acknowledge(now)
        if not peer.hellos_waiting and peer.inbox and now - peer.inbox[0].at > _PING_WAITS_S:
            self._answer_pings(peer)
        if peer.sending_since and now - peer.sending_since > self._engine.limits.send_timeout_s:
            peer.close(1013, "too slow")
            peer.cut()
        if peer.hellos_waiting and now - peer.hello_at > _HELLO_WAITS_S:
            peer.close(1013, "busy")
        if time.time() >= peer.identity.expires_at:
            peer.close(4401, "token expired")
        elif now - peer.heard_at > self._engine.limits.idle_timeout_s and not peer.holds_back:
            peer.close(1000, "idle")

    def _answer_pings(self, peer: Peer) -> None:
        """Pings overtake messages where these take long."""
        waiting = [item for item in peer.inbox if item.frame.type == "ping" and not item.frame.seq]
        for item in waiting:
            peer.inbox.remove(item)
            self._engine.send(peer, frames.pong())

    async def _keep_clients(self, now: float) -> None:
        """Notes once in a while that clients are here, which also finds out whom another process has taken over."""
        await self._keep([peer for peer in self._engine.peers if peer.client_id and _is_due(peer, now)])

    async def _keep(self, peers: list[Peer]) -> None:
        if not peers:
            return
        now = time.monotonic()
        lapsed: list[tuple[Peer, int]] = []
        async with self._engine.store.transaction() as tx:
            for peer in peers:
                welcomes = peer.welcomes
                if not await tx.touch(peer.user, peer.client_id, peer.owner, now_ms()):
                    peer.close(4410, "another connection uses this client id")
                elif _memberships_lapse(peer, now):
                    await tx.lapse(peer.user, peer.client_id, peer.joined)
                    lapsed.append((peer, welcomes))
        for peer in peers:
            peer.touched_at = now
        for peer, welcomes in lapsed:
            # A client that has said hello meanwhile has its minute before it.
            peer.lapsed = peer.welcomes == welcomes

    async def left(self, peer: Peer) -> None:
        """`remember_ms` counts from the end of the last connection."""
        if not peer.client_id or self._engine.draining:
            return
        going = (peer.user, peer.client_id)
        self._engine.going.add(going)
        try:
            async with self._engine.store.transaction() as tx:
                await tx.disown(peer.user, peer.client_id, peer.owner, now_ms())
        except StoreError:
            pass  # It was noted when it came, too.
        finally:
            self._engine.going.discard(going)


def _is_due(peer: Peer, now: float) -> bool:
    return now - peer.touched_at > _TOUCH_S or _memberships_lapse(peer, now)


def _memberships_lapse(peer: Peer, now: float) -> bool:
    """Whether those of the client that it has not joined again end now."""
    return not peer.lapsed and now - peer.welcomed_at > _MEMBERSHIP_LAPSES_S


def _complain(what: str, error: Exception) -> None:
    if isinstance(error, StoreError):
        log.warning("%s: %s", what, type(error.__cause__ or error).__name__)
    else:
        log.error("%s: %s", what, describe(error))
