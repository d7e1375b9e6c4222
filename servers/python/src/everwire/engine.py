"""The heart: who is connected, what is sent to them, and what other nodes say."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import frames
from .bus import Bus, ToEveryone, ToRoom, ToUser
from .bus.base import Address
from .clock import now_ms
from .context import RoomTell
from .handlers import Registered
from .keeper import Keeper
from .limits import Limits
from .metrics import Metrics
from .moves import Move
from .observer import Observer
from .peer import Peer
from .play import Welcome
from .rate import Rates
from .report import describe
from .rooms import Rooms
from .store import Change, NewEvent, Store, StoreAway, StoreError, Takeover
from .writer import Writer

log = logging.getLogger("everwire")

_POSTS_PER_TRANSACTION = 1024
_OPEN_AGAIN_S = 1.0


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
        self.presence_hooks: list[OnPresence] = [] if on_presence is None else [on_presence]
        self.room_hooks: list[Callable[[str], None]] = []
        """Called when someone here joins a room, again too, or leaves it."""
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
        self.rooms = Rooms()
        self.going: set[tuple[str, str]] = set()
        """Clients whose connection has ended, which the database does not know yet."""
        self.writer = Writer(self)
        self.keeper = Keeper(self)
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
        self.writer.open()
        loops = [self.writer.run() for _ in range(self.store.writers)]
        loops += [self.keeper.watch(), self.keeper.look_after_connections(), self.keeper.look_after_store()]
        self.is_open = True
        for loop in loops:
            task = asyncio.create_task(loop)
            task.add_done_callback(self._loop_ended)
            self._tasks.append(task)

    def _loop_ended(self, task: "asyncio.Task[None]") -> None:
        """Without it nothing would be acknowledged any more: health checks and clients have to see that."""
        if self.draining:
            return
        error = "cancelled" if task.cancelled() else describe(task.exception() or RuntimeError())
        log.critical("the server has stopped processing, and refuses connections until it is restarted: %s", error)
        self.is_open = False
        for peer in list(self.peers):
            peer.close(1011, "internal error")

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
            for room in self.rooms.forget(peer.user):
                self._room_changed(room)
        for room in peer.joined:
            if self.rooms.has_left_here(peer.user, room) and not self._others_have_joined(peer, room):
                self.rooms.leave(peer.user, room)
                self._room_changed(room)
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

    def move(self, peer: Peer, room: str, move: Move) -> None:
        """What a committed transaction has done to a membership."""
        if move is Move.LEFT_HERE:
            peer.joined.discard(room)
            if self._others_have_joined(peer, room):
                self.rooms.leave_here(peer.user, room)
            else:
                self.rooms.leave(peer.user, room)
            return
        if move is Move.JOINED:
            peer.joined.add(room)
            if peer.user in self._by_user:
                self.rooms.join(peer.user, room)
        else:
            self.rooms.leave(peer.user, room)
            for one in (peer, *self.connections(peer.user)):
                one.joined.discard(room)
        self._room_changed(room)

    def _others_have_joined(self, peer: Peer, room: str) -> bool:
        others = self.connections(peer.user) - {peer}
        return any(room in other.joined and other.closing is None for other in others)

    def _room_changed(self, room: str) -> None:
        for hook in self.room_hooks:
            hook(room)

    # What the application makes.

    def event(self, user: str, kind: str, data: Mapping[str, Any], stream: str, origin: str) -> NewEvent:
        frames.check_name("user", user)
        frames.check_name("stream", stream)
        return NewEvent(user, stream, self.frame(kind, data), origin)

    def frame(self, kind: str, data: Mapping[str, Any]) -> str:
        """An event that can be stored."""
        frame = frames.event(kind, data)
        size = len(frame) if frame.isascii() else len(frame.encode())
        if size > self.limits.event_bytes:
            raise frames.EventError(f"an event of {size} bytes is more than event_bytes ({self.limits.event_bytes})")
        return frame

    async def publish(self, events: list[NewEvent]) -> None:
        """Those that are published at the same time share a transaction."""
        post = _Post(events, asyncio.get_running_loop().create_future())
        self._posts.append(post)
        if self._posting is None:
            self._posting = asyncio.create_task(self._post())
        await post.done

    async def _post(self) -> None:
        while self._posts:
            posts, self._posts = self._posts[:_POSTS_PER_TRANSACTION], self._posts[_POSTS_PER_TRANSACTION:]
            events = [event for post in posts for event in post.events]
            try:
                async with self.store.transaction() as tx:
                    offsets = await tx.append(events, now_ms())
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
        for user in dict.fromkeys([*self.rooms.users(tell.room), *tell.elsewhere]):
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

    # After a commit.

    def welcome(self, peer: Peer, welcome: Welcome) -> None:
        if peer.closing is not None:
            return
        now, user = time.monotonic(), peer.user
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
        peer.welcomed_at, peer.touched_at, peer.lapsed = now, now, False
        if first:
            peer.positions.clear()
            peer.told.clear()
        for name, position in welcome.positions.items():
            peer.positions[name] = peer.told[name] = position
        if self.bus is not None:
            self.bus.wake([Takeover(user, welcome.client_id, welcome.owner)])
        self.send(peer, frames.welcome(self.epoch, welcome.last, self.limits, peer.told))
        peer.unread.update(peer.positions)

    def later(self, call: Any) -> None:
        task = asyncio.create_task(_run_after(call))
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    # What the bus and the store say.

    def users(self) -> Iterable[str]:
        return self._by_user

    def heard_changes(self, changes: Sequence[Change | Takeover] | None) -> None:
        if changes is None:
            self.look_everywhere()
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
            users = dict.fromkeys(user for user in (*self.rooms.users(to.room), *to.users) if user not in to.but)
        else:
            users = list(self._by_user)
        for user in users:
            self._tell_here(user, frame)

    def heard_presence(self, user: str, *, online: bool) -> None:
        for hook in self.presence_hooks:
            self.later(partial(hook, user, online))

    async def online(self, users: Collection[str]) -> set[str]:
        if self.bus is not None:
            return await self.bus.online(users)
        return self._by_user.keys() & set(users)

    def take_doubtful(self) -> set[Peer]:
        """Connections whose client id may belong to another one."""
        doubtful, self._doubtful = self._doubtful, set()
        return doubtful

    def look_everywhere(self) -> None:
        for peer in self.peers:
            peer.unread.update(peer.positions)
            peer.wake.set()


async def _run_after(call: Any) -> None:
    try:
        result = call()
        if hasattr(result, "__await__"):
            await result
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    # A `SystemExit` out of a task would end the event loop.
    except BaseException as error:
        log.error("a function after a commit failed: %s", describe(error))
