"""The heart: connections hand in what arrived, writers process it in transactions, senders are woken."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import frames
from .bus import Bus, ToEveryone, ToRoom, ToUser
from .bus.base import Address
from .context import RoomTell
from .envelope import Frame, read
from .handlers import Registered
from .limits import Limits
from .metrics import Metrics
from .observer import Observer
from .peer import Arrived, Peer
from .play import Outcome, Played, play
from .rate import Rates
from .report import describe
from .store import Change, Conflict, ContentRefused, NewEvent, Store, StoreAway, StoreError, Takeover

log = logging.getLogger("everwire")

_PEERS_PER_BATCH = 64
# While one transaction waits for the disk, the acknowledgements of the last bring the messages of the next.
_MESSAGES_PER_BATCH = 1024
_BYTES_PER_BATCH = 512 * 1024
_ACK_AGAIN_S = 2.0
_MEMBERSHIP_LAPSES_S = 60.0
_SLOW_POLL_S = 15.0
_DEAF_POLL_S = 1.0
_OPEN_AGAIN_S = 1.0
_TOUCH_S = 60.0
_SWEEP_S = 60.0
_PING_WAITS_S = 1.0
_TRIES = 3


OnPresence = Callable[[str, bool], Awaitable[object] | object]


@dataclass(slots=True)
class _Post:
    events: list[NewEvent]
    done: "asyncio.Future[None]"


class Engine:
    def __init__(
        self,
        store: Store,
        limits: Limits,
        metrics: Metrics,
        handlers: Mapping[str, Registered],
        bus: Bus | None = None,
        on_presence: OnPresence | None = None,
    ) -> None:
        self.store = store
        self.bus = bus
        self._on_presence = on_presence
        self.limits = limits
        self.metrics = metrics
        self.handlers = handlers
        self.epoch = 0
        self.rates = Rates(limits.messages_per_minute)
        self.peers: set[Peer] = set()
        self.draining = False
        self.is_open = False
        self.observer: Observer | None = None
        self._by_user: dict[str, set[Peer]] = {}
        self._owners: dict[tuple[str, str], Peer] = {}
        self._rooms: dict[str, set[str]] = {}
        self._rooms_of: dict[str, set[str]] = {}
        self._ready: deque[Peer] = deque()
        self._work = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._after: set[asyncio.Task[None]] = set()
        self._posts: list[_Post] = []
        self._posting: asyncio.Task[None] | None = None
        self._doubtful: set[Peer] = set()

    # Life.

    async def start(self) -> None:
        """A database that is away is tried again until it is there; connections are refused meanwhile."""
        self.draining = False
        try:
            self.epoch = await self.store.open(self.limits)
        except StoreAway as error:
            log.error("%s; it is tried again, and connections are refused until it is there", error)
            self._tasks = [asyncio.create_task(self._open_again())]
        else:
            await self._run()

    async def _open_again(self) -> None:
        while True:
            await asyncio.sleep(_OPEN_AGAIN_S)
            try:
                self.epoch = await self.store.open(self.limits)
            except StoreAway:
                continue
            except StoreError as error:
                log.error("%s; it is not tried again", error)
                return
            log.warning("the store is open")
            await self._run()
            return

    async def _run(self) -> None:
        if self.bus is not None:
            await self.bus.open(self)
        loops = [self._write() for _ in range(self.store.writers)]
        loops += [self._watch(), self._tick()]
        self._tasks += [asyncio.create_task(loop) for loop in loops]
        self.is_open = True

    async def stop(self) -> None:
        """Closes all connections with 1012. What was not acknowledged comes again, to the next process."""
        self.draining = True
        for peer in list(self.peers):
            peer.close(1012, "restarting")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.is_open = False
        if self._posting is not None:
            await asyncio.wait([self._posting])
        if self._after:
            await asyncio.wait(self._after, timeout=self.limits.handler_timeout_s)
        if self.bus is not None:
            await self.bus.close()
        await self.store.close()

    # Connections.

    async def add(self, peer: Peer) -> None:
        if not self.is_open:
            raise StoreError("the store is not open")
        self.peers.add(peer)
        others = self._by_user.setdefault(peer.user, set())
        others.add(peer)
        if len(others) == 1:
            self._came_or_left(peer.user, online=True)
        self.metrics.count("ws_connections_total")
        self.metrics.gauge("ws_connections", len(self.peers))
        # A connection carries its user's events from its beginning, whether it says hello or not.
        newest = await self.store.newest(peer.user, "user")
        if newest is not None and not peer.client_id:
            peer.positions["user"] = peer.told["user"] = newest

    def remove(self, peer: Peer) -> None:
        self.peers.discard(peer)
        if self._owners.get((peer.user, peer.client_id)) is peer:
            del self._owners[peer.user, peer.client_id]
        others = self._by_user.get(peer.user, set())
        others.discard(peer)
        if not others:
            if self._by_user.pop(peer.user, None) is not None:
                self._came_or_left(peer.user, online=False)
            for room in self._rooms_of.pop(peer.user, ()):
                self._leave(peer.user, room)
        self.metrics.gauge("ws_connections", len(self.peers))

    def _came_or_left(self, user: str, *, online: bool) -> None:
        if self.bus is None:
            self.heard_presence(user, online=online)
        elif online:
            self.bus.came(user)
        else:
            self.bus.left(user)

    def connections(self, user: str) -> set[Peer]:
        return self._by_user.get(user, set())

    # Rooms of users who are connected.

    def is_in_room(self, user: str, room: str) -> bool:
        return room in self._rooms_of.get(user, ())

    def users_in_room(self, room: str) -> Iterable[str]:
        return self._rooms.get(room, ())

    def _join(self, user: str, room: str) -> None:
        if user in self._by_user:
            rooms = self._rooms_of.setdefault(user, set())
            if len(rooms) < self.limits.rooms_per_user:
                rooms.add(room)
                self._rooms.setdefault(room, set()).add(user)

    def _leave(self, user: str, room: str) -> None:
        self._rooms_of.get(user, set()).discard(room)
        members = self._rooms.get(room)
        if members is not None:
            members.discard(user)
            if not members:
                del self._rooms[room]

    def move(self, peer: Peer, rooms: Iterable[tuple[str, bool]]) -> None:
        for room, joins in rooms:
            if joins:
                self._join(peer.user, room)
                peer.joined.add(room)
            else:
                self._leave(peer.user, room)
                for other in self.connections(peer.user):
                    other.joined.discard(room)

    # What the application makes.

    def event(self, user: str, kind: str, data: Mapping[str, Any], stream: str, origin: str) -> NewEvent:
        frame = frames.envelope(kind, data)
        if len(frame) > self.limits.event_bytes:
            raise ValueError(f"an event of {len(frame)} bytes is more than event_bytes ({self.limits.event_bytes})")
        return NewEvent(user, stream, frame, origin)

    async def publish(self, events: list[NewEvent]) -> None:
        """Those that are published at the same time share a transaction."""
        post = _Post(events, asyncio.get_running_loop().create_future())
        self._posts.append(post)
        if self._posting is None:
            self._posting = asyncio.create_task(self._post())
        await post.done

    async def _post(self) -> None:
        while self._posts:
            posts, self._posts = self._posts[:_MESSAGES_PER_BATCH], self._posts[_MESSAGES_PER_BATCH:]
            events = [event for post in posts for event in post.events]
            try:
                async with self.store.transaction() as tx:
                    offsets = await tx.append(events, _now_ms())
            except Exception as error:
                for post in posts:
                    if not post.done.done():
                        post.done.set_exception(error)
                continue
            self.announce(events, offsets)
            for post in posts:
                if not post.done.done():
                    post.done.set_result(None)
        self._posting = None

    def announce(self, events: list[NewEvent], offsets: list[int | None]) -> None:
        """After the commit: wakes senders, and tells users who have no stream."""
        newest: dict[tuple[str, str], int] = {}
        for event, offset in zip(events, offsets, strict=True):
            if offset is not None:
                newest[event.user, event.stream] = offset
            elif event.stream == "user":
                for peer in self.connections(event.user):
                    if not peer.caused(event.origin):
                        self.send(peer, event.frame)
                if self.bus is not None:
                    self.bus.tell(ToUser(event.user), event.frame)
        for (user, stream), offset in newest.items():
            self.wake(user, stream, offset)
        if self.bus is not None and newest:
            self.bus.wake([Change(user, stream, offset) for (user, stream), offset in newest.items()])

    def wake(self, user: str, stream: str, offset: int) -> None:
        for peer in self.connections(user):
            if stream == "user" and "user" not in peer.positions:
                peer.positions["user"] = peer.told["user"] = offset - 1
            peer.stored(stream, offset)

    def tell(self, user: str, frame: str, leave_out: Peer | None = None) -> int:
        """How many connections to this process there are."""
        if self.bus is not None:
            self.bus.tell(ToUser(user), frame)
        return self._tell_here(user, frame, leave_out)

    def tell_room(self, tell: RoomTell, leave_out: Peer | None = None) -> None:
        if self.bus is not None:
            self.bus.tell(ToRoom(tell.room, tell.elsewhere), tell.frame)
        for user in dict.fromkeys([*self.users_in_room(tell.room), *tell.elsewhere]):
            self._tell_here(user, tell.frame, leave_out)

    def tell_everyone(self, frame: str) -> None:
        if self.bus is not None:
            self.bus.tell(ToEveryone(), frame)
        self.heard_event(ToEveryone(), frame)

    def _tell_here(self, user: str, frame: str, leave_out: Peer | None = None) -> int:
        told = 0
        for peer in self.connections(user):
            if peer is not leave_out:
                self.send(peer, frame)
                told += 1
        return told

    def send(self, peer: Peer, frame: str) -> None:
        size = len(frame)
        is_full = len(peer.outgoing) >= self.limits.queue_frames
        if is_full or (peer.outgoing and peer.outgoing_size + size > self.limits.queue_bytes):
            peer.close(1013, "too slow")
            if peer.sending_since:
                # A goodbye would wait behind what the client does not take.
                peer.cut()
        else:
            peer.send(frame)

    # Writing.

    def submit(self, peer: Peer, arrived: Arrived) -> None:
        peer.push(arrived)
        if not peer.queued:
            peer.queued = True
            self._ready.append(peer)
            self._work.set()

    async def process_alone(self, peer: Peer, frame: Frame) -> None:
        """For a message that no connection carries. Raises `StoreError`."""
        for outcome in await self._transact([(peer, [Arrived(frame, time.monotonic())])], refuse=False):
            self._settle(outcome)

    async def _write(self) -> None:
        while True:
            while not self._ready:
                self._work.clear()
                await self._work.wait()
            peers: list[Peer] = []
            share = max(1, min(_PEERS_PER_BATCH, -(-len(self._ready) // self.store.writers)))
            while self._ready and len(peers) < share:
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
            for peer, items in work:
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
            if inbox[0].frame.seq and not peer.messages.take(now):
                break
            item = peer.pop()
            size += item.size
            if item.text is not None:
                item.frame = read(item.text, self.limits.max_message_bytes)
            items.append(item)
            if item.hello is not None:
                break
        return items

    def _queue_again(self, peer: Peer) -> None:
        if not peer.inbox:
            peer.queued = peer.is_throttled = False
            return
        wait = peer.messages.wait(time.monotonic()) if peer.inbox[0].frame.seq else 0.0
        peer.is_throttled = wait > 0
        if peer.is_throttled:
            asyncio.get_running_loop().call_later(min(wait, 1.0), self._queue_again, peer)
        else:
            self._ready.append(peer)
            self._work.set()

    async def _process(self, work: list[tuple[Peer, list[Arrived]]]) -> None:
        if not work:
            return
        try:
            outcomes = await self._transact(work, refuse=False)
        except StoreError as error:
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

    async def _failed(self, one: tuple[Peer, list[Arrived]], error: StoreError) -> None:
        peer, _ = one
        for _ in range(_TRIES):
            if not isinstance(error, ContentRefused | Conflict):
                break
            try:
                for outcome in await self._transact([one], refuse=isinstance(error, ContentRefused)):
                    self._settle(outcome)
                return
            except StoreError as again:
                error = again
        log.error("the store failed: %s", type(error.__cause__ or error).__name__)
        self.metrics.count("ws_errors_total", code="store")
        peer.close(1011, "storage failed")

    async def _transact(self, work: list[tuple[Peer, list[Arrived]]], *, refuse: bool) -> list[Outcome]:
        async with self.store.transaction() as tx:
            outcomes = [await play(self, tx, peer, items, refuse=refuse) for peer, items in work]
            events = [event for outcome in outcomes for event in outcome.events]
            offsets = await tx.append(events, _now_ms()) if events else []
        self.announce(events, offsets)
        return outcomes

    def _settle(self, outcome: Outcome) -> None:
        """After the commit."""
        peer = outcome.peer
        now = time.monotonic()
        if outcome.welcome is not None:
            self._welcome(peer, outcome, now)
        for frame in outcome.frames:
            self.send(peer, frame)
        for user, frame, echo in outcome.tells:
            self.tell(user, frame, None if echo else peer)
        for tell in outcome.room_tells:
            self.tell_room(tell, peer)
        if self.bus is not None:
            for tell in outcome.plain:
                self.bus.tell(ToRoom(tell.room, but=tell.elsewhere), tell.frame)
        if outcome.last is not None:
            peer.last = outcome.last
            peer.acknowledge(now)
        for call in outcome.after:
            self._later(call)
        if outcome.close is not None:
            peer.close(*outcome.close)
        for played in outcome.played:
            self._measure(played, now)

    def _welcome(self, peer: Peer, outcome: Outcome, now: float) -> None:
        welcome = outcome.welcome
        assert welcome is not None  # noqa: S101
        user = peer.user
        earlier = self._owners.get((user, welcome.client_id))
        if earlier is not None and earlier is not peer:
            earlier.close(4410, "another connection uses this client id")
        if self._owners.get((user, peer.client_id)) is peer:
            del self._owners[user, peer.client_id]
        self._owners[user, welcome.client_id] = peer
        first = not peer.client_ids
        peer.welcomes += 1
        peer.client_id = welcome.client_id
        peer.client_ids.add(welcome.client_id)
        peer.owner = welcome.owner
        peer.last = welcome.last
        peer.ack = None
        peer.acked_at = now
        peer.joined.clear()
        peer.welcomed_at, peer.lapsed = now, False
        if first:
            peer.positions.clear()
            peer.told.clear()
        for name, position in welcome.positions.items():
            peer.positions[name] = peer.told[name] = position
        if self.bus is not None:
            self.bus.wake([Takeover(user, welcome.client_id, welcome.owner)])
        self.send(peer, frames.welcome(self.epoch, welcome.last, self.limits, peer.told))
        peer.unread.update(peer.positions)

    def _later(self, call: Any) -> None:
        task = asyncio.create_task(_run_after(call))
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    def _measure(self, played: Played, now: float) -> None:
        kind = played.type if played.type is not None and played.type in self.handlers else "other"
        self.metrics.count("ws_messages_total", type=kind, outcome=played.outcome)
        self.metrics.observe("ws_message_latency_seconds", now - played.at)
        if played.code is not None:
            self.metrics.count("ws_errors_total", code=played.code)

    # In the background.

    async def _watch(self) -> None:
        """Learns of events that other processes, or transactions of the application, have stored."""
        while True:
            try:
                changes = await self.store.changes()
            except StoreError as error:
                log.warning("cannot watch the store: %s", type(error.__cause__ or error).__name__)
                await asyncio.sleep(1)
                changes = None
            await self._changed(changes)

    async def _changed(self, changes: Sequence[Change | Takeover] | None) -> None:
        self.heard_changes(changes)
        doubtful, self._doubtful = self._doubtful, set()
        try:
            await self._keep([peer for peer in doubtful if peer.closing is None])
        except StoreError as error:
            log.warning("cannot keep the store: %s", type(error.__cause__ or error).__name__)

    # What the bus says.

    def users(self) -> Iterable[str]:
        return self._by_user

    def heard_changes(self, changes: Sequence[Change | Takeover] | None) -> None:
        if changes is None:
            self._look_everywhere()
            return
        for change in changes:
            if isinstance(change, Change):
                self.wake(change.user, change.stream, change.offset)
                continue
            owner = self._owners.get((change.user, change.client_id))
            if owner is not None and owner.owner != change.owner:
                # Which of the two was last only the database knows.
                self._doubtful.add(owner)

    def heard_event(self, to: Address, frame: str) -> None:
        if isinstance(to, ToUser):
            users: Iterable[str] = (to.user,)
        elif isinstance(to, ToRoom):
            users = dict.fromkeys(user for user in (*self.users_in_room(to.room), *to.users) if user not in to.but)
        else:
            users = list(self._by_user)
        for user in users:
            self._tell_here(user, frame)

    def heard_presence(self, user: str, *, online: bool) -> None:
        hook = self._on_presence
        if hook is not None:
            self._later(lambda: hook(user, online))

    async def online(self, users: Collection[str]) -> set[str]:
        if self.bus is not None:
            return await self.bus.online(users)
        return self._by_user.keys() & set(users)

    def _look_everywhere(self) -> None:
        for peer in self.peers:
            peer.unread.update(peer.positions)
            peer.wake.set()

    async def _tick(self) -> None:
        swept = polled = time.monotonic()
        while True:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            for peer in list(self.peers):
                self._look_after(peer, now)
            is_deaf = self.bus is not None and not self.bus.is_up
            if now - polled > (_DEAF_POLL_S if is_deaf else _SLOW_POLL_S):
                polled = now
                self._look_everywhere()
            try:
                await self._changed(())
                await self._keep_clients(now)
                if now - swept > _SWEEP_S:
                    swept = now
                    self.rates.sweep(now, set(self._by_user))
                    await self.store.sweep(_now_ms())
            except StoreError as error:
                log.warning("cannot keep the store: %s", type(error.__cause__ or error).__name__)

    def _look_after(self, peer: Peer, now: float) -> None:
        if peer.holds_back and now - peer.acked_at >= _ACK_AGAIN_S:
            peer.acknowledge(now)
        if not peer.hellos_waiting and peer.inbox and now - peer.inbox[0].at > _PING_WAITS_S:
            self._answer_pings(peer)
        if peer.sending_since and now - peer.sending_since > self.limits.send_timeout_s:
            peer.close(1013, "too slow")
            peer.cut()
        if time.time() >= peer.identity.expires_at:
            peer.close(4401, "token expired")
        elif now - peer.heard_at > self.limits.idle_timeout_s and not peer.holds_back:
            peer.close(1000, "idle")

    def _answer_pings(self, peer: Peer) -> None:
        """Pings overtake messages where these take long."""
        waiting = [item for item in peer.inbox if item.frame.type == "ping" and not item.frame.seq]
        for item in waiting:
            peer.inbox.remove(item)
            self.send(peer, frames.pong())

    async def _keep_clients(self, now: float) -> None:
        """Notes once in a while that clients are here, which also finds out whom another process has taken over."""
        due = [peer for peer in self.peers if peer.client_id and _is_due(peer, now)]
        await self._keep(due)
        for peer in due:
            peer.lapsed = True
            peer.welcomed_at = now

    async def _keep(self, peers: list[Peer]) -> None:
        if not peers:
            return
        now = time.monotonic()
        async with self.store.transaction() as tx:
            for peer in peers:
                if not await tx.touch(peer.user, peer.client_id, peer.owner, _now_ms()):
                    peer.close(4410, "another connection uses this client id")
                elif not peer.lapsed and _is_due(peer, now):
                    await tx.lapse(peer.user, peer.client_id, peer.joined)

    async def left(self, peer: Peer) -> None:
        """`remember_ms` counts from the end of the last connection."""
        if not peer.client_id or self.draining:
            return
        try:
            async with self.store.transaction() as tx:
                await tx.touch(peer.user, peer.client_id, peer.owner, _now_ms())
        except StoreError:
            pass  # It was noted when it came, too.


def _is_due(peer: Peer, now: float) -> bool:
    return now - peer.welcomed_at > (_TOUCH_S if peer.lapsed else _MEMBERSHIP_LAPSES_S)


async def _run_after(call: Any) -> None:
    try:
        result = call()
        if hasattr(result, "__await__"):
            await result
    except Exception as error:
        log.error("a function after a commit failed: %s", describe(error))


def _now_ms() -> int:
    return int(time.time() * 1000)
