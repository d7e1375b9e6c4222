"""Plays one conversation, as its client."""

import asyncio
import json
import secrets
from collections import deque
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ..numbers import is_number
from ..scan import scan
from .conversation import Conversation
from .places import Places

Frame = dict[str, Any]


_NAMES = {"message", "session_id", "match_id", "message_id"}


class Mismatch(AssertionError):
    """The server says something else than the file."""


class Server(Protocol):
    """What the player needs besides the WebSocket."""

    async def url(self, user: str) -> str: ...

    async def push(self, user: str, kind: str, data: Frame) -> None: ...

    async def forget(self, user: str, stream: str, upto: int) -> None: ...

    async def restart(self) -> None: ...

    async def connections(self, user: str) -> int | None:
        """How many the server has noticed, if it can be asked."""


class Player:
    """Users and client ids are renamed at random, so that a server may have a memory already."""

    def __init__(
        self,
        server: Server,
        conversation: Conversation,
        *,
        patience_s: float = 5.0,
        ignore: frozenset[str] = frozenset(),
    ) -> None:
        """`ignore` are types of events that the server's application sends on its own."""
        self._server = server
        self._conversation = conversation
        self._patience_s = patience_s
        self._ignore = ignore | {"connected", "session_members"}
        self._places = Places()
        self._names: dict[str, str] = {}
        self._user = ""
        self._epoch: int | None = None
        self._socket: ClientConnection | None = None
        self._came: dict[str, deque[Frame]] = {}
        self._acked = 0
        self._sent = 0
        self._named: set[str] = set()
        self._greeting = False

    async def play(self) -> None:
        steps = self._conversation.steps
        for index, step in enumerate(steps):
            try:
                await self._step(step)
            except (Mismatch, ConnectionClosed, TimeoutError) as error:
                raise Mismatch(f"step {index + 1}, {json.dumps(step)[:300]}: {_words(error)}") from error
        if self._socket is not None:
            await self._nothing_more()
            await self._cut()

    async def _step(self, step: Frame) -> None:
        if "connect" in step:
            self._user = self._rename(step["connect"])
            self._socket = await connect(await self._server.url(self._user), ping_interval=None, compression=None)
            self._came, self._acked, self._sent, self._greeting = {}, 0, 0, False
        elif "client" in step:
            if not step.get("lost"):
                await self._send(step["client"])
        elif "text" in step:
            found = scan(step["text"])
            if is_number(found.seq):
                self._sent = max(self._sent, found.seq)
            await self._connection().send(step["text"])
        elif "server" in step:
            await self._expect(self._renamed(step["server"]))
        elif "cut" in step:
            await self._cut()
        elif "close" in step:
            await self._closed(step["close"])
        elif "restart" in step:
            await self._cut()
            await self._server.restart()
        elif "push" in step:
            push = self._renamed(step["push"])
            if push["stream"] != "user":
                raise Mismatch("events can be pushed to the stream `user` only")
            await self._server.push(self._user, push["type"], push["data"])
        elif "forget" in step:
            forget = self._renamed(step["forget"])
            upto = self._places.actual(forget["stream"], forget["upto"])
            await self._server.forget(self._user, forget["stream"], upto)
        elif "app" not in step:
            raise Mismatch("an unknown step")

    async def _send(self, frame: Frame) -> None:
        frame = self._renamed(frame)
        if frame.get("type") == "hello":
            frame = {**frame, "data": self._places.hello(frame["data"])}
            self._named = set(frame["data"].get("streams", self._named))
            self._greeting = True
        elif isinstance(frame.get("seq"), int):
            self._sent = max(self._sent, frame["seq"])
        await self._connection().send(json.dumps(frame))

    async def _expect(self, expected: Frame) -> None:
        kind = _kind(expected)
        if kind == "ack":
            # One that a later one covers may be left out.
            while self._acked < expected["data"]["seq"]:
                await self._receive()
            return
        queue = self._came.setdefault(kind, deque())
        while not queue:
            await self._receive()
        self._compare(queue.popleft(), expected)

    async def _receive(self) -> None:
        text = await asyncio.wait_for(self._connection().recv(), self._patience_s)
        frame = json.loads(text)
        kind = _kind(frame)
        if kind == "ack":
            seq = frame["data"]["seq"]
            if not self._acked <= seq <= self._sent:
                raise Mismatch(f"unexpected {frame}")
            self._acked = seq
            return
        # The user's own message for their other devices, which a server may leave out, names the client id that sent it.
        if frame.get("type") in self._ignore or "client_id" in frame:
            return
        if self._greeting:
            if kind.startswith("stream "):
                # It comes again after the welcome.
                return
            if frame.get("type") == "pong":
                raise Mismatch("a pong before the answer to hello")
            about = frame.get("data", {}).get("about")
            self._greeting = not (frame.get("type") == "welcome" or (frame.get("type") == "error" and about == "hello"))
        self._came.setdefault(kind, deque()).append(frame)

    def _compare(self, got: Frame, expected: Frame) -> None:
        seen = dict(got)
        if expected["type"] == "welcome":
            self._compare_welcome(seen, expected)
            return
        # Fields that a file does not have are allowed.
        seen = {key: value for key, value in seen.items() if key in expected}
        if "offset" in expected:
            stream = expected["stream"]
            if not self._places.learn(stream, expected["offset"], seen.get("offset", -1)):
                raise Mismatch(f"got {got}, expected {expected}: the offset does not fit those before")
            seen["offset"] = expected["offset"]
        if "data" in expected and isinstance(seen.get("data"), dict):
            # Words are for people, and of what was refused a server may say more.
            free = _NAMES if seen["type"] == "error" else {"message"}
            known = expected["data"]
            seen["data"] = {key: value for key, value in seen["data"].items() if key in known or key not in free}
        if seen != expected:
            raise Mismatch(f"got {got}, expected {expected}")

    def _compare_welcome(self, got: Frame, expected: Frame) -> None:
        data, wanted = got.get("data", {}), expected["data"]
        same = got.get("type") == "welcome" and all(data.get(key) == wanted[key] for key in ("version", "last"))
        epoch, streams = data.get("epoch"), data.get("streams", {})
        if (
            not same
            or not isinstance(epoch, int)
            or epoch != (self._epoch or epoch)
            or streams.keys() != wanted["streams"].keys()
        ):
            raise Mismatch(f"got {got}, expected {expected}")
        self._epoch = epoch
        self._acked = self._sent = wanted["last"]
        for name, position in wanted["streams"].items():
            if name not in self._named:
                # The newest offset, whichever that is: the server may store what a file does not know of.
                self._places.forget(name)
            if not self._places.learn(name, position, streams[name]):
                raise Mismatch(f"got {got}, expected {expected}: the position in `{name}` does not fit those before")

    async def _closed(self, code: int) -> None:
        socket = self._connection()
        try:
            while True:
                await self._receive()
        except ConnectionClosed:
            pass
        if socket.close_code != code:
            raise Mismatch(f"closed with {socket.close_code}")
        self._socket = None

    async def _cut(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None
        for _ in range(100):
            if not await self._server.connections(self._user):
                return
            await asyncio.sleep(0.02)

    async def _nothing_more(self) -> None:
        """Nothing comes that the conversation does not have."""
        await self._connection().send('{"type":"ping","data":{}}')
        pongs = self._came.setdefault("pong", deque())
        while not pongs:
            await self._receive()
        pongs.popleft()
        surplus = [frame for queue in self._came.values() for frame in queue]
        if surplus:
            raise Mismatch(f"and then {surplus[0]}")

    def _connection(self) -> ClientConnection:
        if self._socket is None:
            raise Mismatch("there is no connection")
        return self._socket

    def _rename(self, name: str) -> str:
        return self._names.setdefault(name, f"{name}-{secrets.token_hex(6)}")

    def _renamed(self, frame: Frame) -> Frame:
        """Client ids of 16 characters in it are replaced."""
        text = json.dumps(frame)
        for client_id in _CLIENT_IDS:
            text = text.replace(client_id, self._names.setdefault(client_id, secrets.token_hex(8)))
        renamed: Frame = json.loads(text)
        return renamed


def _kind(frame: Frame) -> str:
    """Frames of one kind come in order; between kinds servers may differ."""
    if "stream" in frame and "offset" in frame:
        return f"stream {frame['stream']}"
    kind = frame.get("type")
    return kind if kind in ("ack", "pong") else "other"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


_CLIENT_IDS = ("k3Zq8vXw2LmN4pRt", "p9Yw1tBv6QcX3nZs")
