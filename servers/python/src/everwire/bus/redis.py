"""Redis between nodes. Needs `redis`."""

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ..store import Change, Takeover
from . import scripts
from .base import Address, Listener, ToEveryone, ToRoom, ToUser

log = logging.getLogger("everwire")

# uvloop says RuntimeError when something is written to a connection that has just ended.
_FAILURES = (exceptions.RedisError, OSError, TimeoutError, RuntimeError)


class RedisBus:
    """`url` as in `redis://:password@cache:6379/0`. `node` names this process in Redis, beside something random. `prefix` keeps several
    applications in one Redis apart."""

    def __init__(self, url: str, *, node: str = "node", prefix: str = "everwire") -> None:
        self._redis: Any = Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._process = f"{node}.{secrets.token_hex(8)}"
        self._prefix = prefix
        self._listener: Listener | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._messages: deque[tuple[str, str]] = deque(maxlen=_MESSAGES)
        self._presence: dict[str, bool] = {}
        """Whether users are here, where Redis does not know yet."""
        self._rewrites = False
        self._work = asyncio.Event()
        self._answers = False
        self._hears = False
        self._complained = False

    @property
    def is_up(self) -> bool:
        return self._answers and self._hears

    async def open(self, listener: Listener) -> None:
        self._listener = listener
        # It belongs to the event loop that waits for it, and tests have one each.
        self._work = asyncio.Event()
        self._tasks = [asyncio.create_task(loop) for loop in (self._beat(), self._send(), self._listen())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with suppress(*_FAILURES):
            if self._answers:
                await self._flush()
                await self._run(scripts.LEAVE)
        await self._redis.aclose()

    # What this node says.

    def wake(self, changes: Sequence[Change | Takeover]) -> None:
        for first in range(0, len(changes), _CHANGES_PER_MESSAGE):
            written = [_written(change) for change in changes[first : first + _CHANGES_PER_MESSAGE]]
            self._say("wake", {"changes": written})

    def tell(self, to: Address, frame: str) -> None:
        address: dict[str, Any] = {}
        if isinstance(to, ToUser):
            address = {"user": to.user}
        elif isinstance(to, ToRoom):
            address = {"room": to.room, "users": list(to.users), "but": list(to.but)}
        self._say("tell", {"to": address, "frame": frame})

    def came(self, user: str) -> None:
        self._presence[user] = True
        self._work.set()

    def left(self, user: str) -> None:
        self._presence[user] = False
        self._work.set()

    async def online(self, users: Collection[str]) -> set[str]:
        here = self._here() & set(users)
        asked = [user for user in users if user not in here]
        if not asked:
            return here
        try:
            return here | set(await self._run(scripts.ONLINE, *asked))
        except _FAILURES:
            return here

    def _say(self, channel: str, message: dict[str, Any]) -> None:
        if self._answers:
            text = json.dumps({"from": self._process, **message}, ensure_ascii=False)
            self._messages.append((f"{self._prefix}:{channel}", text))
            self._work.set()

    def _here(self) -> set[str]:
        return set(self._listener.users()) if self._listener is not None else set()

    async def _send(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                if self._answers:
                    await self._flush()
            except _FAILURES as error:
                self._lost(error)

    async def _flush(self) -> None:
        """What is under way when Redis goes is lost; who is online is written again when it is back."""
        assert self._listener is not None  # noqa: S101
        while self._messages or self._presence or self._rewrites:
            if self._rewrites:
                self._rewrites = False
                self._presence.clear()
                came, gone = await self._run(scripts.REWRITE, *self._here())
                self._heard(dict.fromkeys(came, True) | dict.fromkeys(gone, False))
            pipeline = self._redis.pipeline(transaction=False)
            messages = [self._messages.popleft() for _ in range(min(len(self._messages), _PIPELINE))]
            for channel, text in messages:
                pipeline.publish(channel, text)
            presence, self._presence = self._presence, {}
            for user, online in presence.items():
                pipeline.eval(scripts.CAME_OR_LEFT, 1, *self._arguments(user, int(online)))
            answers = await pipeline.execute()
            transitions = zip(presence.items(), answers[len(messages) :], strict=True)
            self._heard({user: online for (user, online), changed in transitions if changed == 1})

    def _heard(self, transitions: dict[str, bool]) -> None:
        if self._listener is not None:
            for user, online in transitions.items():
                self._listener.heard_presence(user, online=online)

    async def _run(self, script: str, *arguments: object) -> Any:
        return await self._redis.eval(script, 1, *self._arguments(*arguments))

    def _arguments(self, *more: object) -> tuple[object, ...]:
        return f"{self._prefix}:nodes", self._prefix, self._process, *more

    # Being alive.

    async def _beat(self) -> None:
        while True:
            try:
                was_alive, gone = await self._run(scripts.BEAT, _ALIVE_MS)
            except _FAILURES as error:
                self._lost(error)
            else:
                if not (was_alive and self._answers):
                    # Redis has lost its memory, or others have taken this node for dead.
                    self._found()
                self._heard(dict.fromkeys(gone, False))
            await asyncio.sleep(_BEAT_S if self._answers else _AGAIN_S)

    def _found(self) -> None:
        if self._complained:
            self._complained = False
            log.warning("Redis is there again")
        self._answers = self._rewrites = True
        self._work.set()

    def _lost(self, error: BaseException) -> None:
        self._answers = False
        self._messages.clear()
        self._presence.clear()
        if not self._complained:
            self._complained = True
            log.warning(
                "Redis is away (%s): what other nodes store comes late, their other events and users are unknown",
                type(error).__name__,
            )

    # What other nodes say.

    async def _listen(self) -> None:
        while True:
            with suppress(*_FAILURES):
                async with self._redis.pubsub() as channels:
                    await channels.subscribe(f"{self._prefix}:wake", f"{self._prefix}:tell")
                    await self._hear(channels)
            self._hears = False
            await asyncio.sleep(_AGAIN_S)

    async def _hear(self, channels: Any) -> None:
        assert self._listener is not None  # noqa: S101
        heard = asked = time.monotonic()
        while True:
            message = await channels.get_message(timeout=1.0)
            now = time.monotonic()
            if message is not None:
                heard = now
            elif now - heard > _SILENCE_S:
                raise TimeoutError
            if now - asked > _BEAT_S:
                asked = now
                await channels.ping()
            if message is None:
                continue
            if message["type"] == "subscribe" and not self._hears:
                self._hears = True
                # What was said meanwhile was not heard.
                self._listener.heard_changes(None)
            elif message["type"] == "message":
                self._take(self._listener, message["channel"], message["data"])

    def _take(self, listener: Listener, channel: str, text: str) -> None:
        try:
            message = json.loads(text)
            if message["from"] == self._process:
                return
            if channel == f"{self._prefix}:wake":
                listener.heard_changes([_read(*change) for change in message["changes"]])
            else:
                listener.heard_event(_address(message["to"]), message["frame"])
        except (ValueError, TypeError, KeyError) as error:
            log.warning("a message of another node cannot be read: %s", type(error).__name__)


def _written(change: Change | Takeover) -> list[str | int]:
    if isinstance(change, Change):
        return [change.user, change.stream, change.offset]
    return [change.user, change.client_id, change.owner]


def _read(user: str, name: str, what: int | str) -> Change | Takeover:
    return Change(user, name, what) if isinstance(what, int) else Takeover(user, name, what)


def _address(to: dict[str, Any]) -> Address:
    if "user" in to:
        return ToUser(to["user"])
    return ToRoom(to["room"], to["users"], to["but"]) if "room" in to else ToEveryone()


_ALIVE_MS = 6000
_BEAT_S = 2.0
_AGAIN_S = 0.5
_SILENCE_S = 6.0
_TIMEOUT_S = 2.0
_MESSAGES = 20_000
_PIPELINE = 500
_CHANGES_PER_MESSAGE = 500
