"""The reliable mode over Socket.IO, for servers on python-socketio.

    io = socketio.AsyncServer(async_mode="asgi")
    reliable = OverSocketIo(io, wire)

    @io.event
    async def connect(sid, environ, auth):
        reliable.connected(sid, tokens.check(auth["token"]))

    @io.event
    async def disconnect(sid, reason):
        reliable.disconnected(sid)

Each envelope of the protocol is the one argument of the event `everwire`, in both directions. Socket.IO has no close
codes: they are said by the event `everwire_close` before the transport is closed. The client is
`overSocketIo({ reliable: true })` of `everwire/socket.io`.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, cast

import orjson
from socketio import AsyncServer
from starlette.websockets import WebSocket

from .connection import serve
from .everwire import Everwire
from .token import Identity

EVENT = "everwire"
_MOST_WAITING = 1024
_MOST_UNSENT = 64
_LOOK_AGAIN_S = 0.02
# What `seq` and `prev` take at most, beside the size of a message.
_NUMBERS_BYTES = 47


class OverSocketIo:
    """Connections of one namespace. `wire` has the handlers and the store; its `lifespan` has to be entered."""

    def __init__(self, io: AsyncServer, wire: Everwire, *, namespace: str = "/") -> None:
        self._io = io
        self._wire = wire
        self._namespace = namespace
        self._connections: dict[str, _Channel] = {}
        self._serving: set[asyncio.Task[None]] = set()
        io.on(EVENT, self._arrived, namespace=namespace)

    def connected(self, sid: str, identity: Identity) -> None:
        """To be called in the handler of `connect`, once it is known who this is."""
        channel = _Channel(self._io, sid, self._namespace)
        self._connections[sid] = channel
        task = asyncio.create_task(self._serve(channel, identity))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def disconnected(self, sid: str) -> None:
        """To be called in the handler of `disconnect`."""
        channel = self._connections.pop(sid, None)
        if channel is not None:
            channel.gone()

    async def _serve(self, channel: "_Channel", identity: Identity) -> None:
        # What a channel has of a WebSocket is what the connection uses.
        await serve(self._wire.engine, cast(WebSocket, channel), identity)
        await channel.close()

    async def _arrived(self, sid: str, envelope: Any = None, *_: Any) -> None:
        channel = self._connections.get(sid)
        if channel is not None:
            await channel.arrived(envelope)


class _Channel:
    """A client of Socket.IO as a WebSocket of ASGI."""

    def __init__(self, io: AsyncServer, sid: str, namespace: str) -> None:
        self._io = io
        self._sid = sid
        self._namespace = namespace
        head = f'42{"" if namespace == "/" else namespace + ","}["{EVENT}",]'
        self._max_bytes = max(1, io.eio.max_http_buffer_size - len(head.encode()) - _NUMBERS_BYTES)
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._is_open = True

    async def arrived(self, envelope: Any) -> None:
        if self._frames.qsize() >= _MOST_WAITING:
            # A handler of Socket.IO cannot stop reading.
            await self.close(4400)
            return
        text = orjson.dumps(envelope, default=lambda _: None).decode()
        self._frames.put_nowait({"type": "websocket.receive", "text": text})

    def gone(self) -> None:
        self._is_open = False
        self._frames.put_nowait({"type": "websocket.disconnect", "code": 1005})

    async def receive(self) -> dict[str, Any]:
        return await self._frames.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        frame = orjson.loads(message["text"])
        if frame["type"] == "welcome":
            # Engine.IO ends the connection over a packet that is larger than it takes.
            frame["data"]["max_bytes"] = min(frame["data"]["max_bytes"], self._max_bytes)
        await self._io.emit(EVENT, frame, to=self._sid, namespace=self._namespace)
        # What a slow client does not take stays in the database.
        while self._is_open and self._unsent() > _MOST_UNSENT:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self._is_open:
            await self._io.emit(f"{EVENT}_close", code, to=self._sid, namespace=self._namespace)
            self.gone()
            connection = self._io.manager.eio_sid_from_sid(self._sid, self._namespace)
            if connection is not None:
                await self._io.eio.disconnect(connection)

    def _unsent(self) -> int:
        connection = self._io.eio.sockets.get(self._io.manager.eio_sid_from_sid(self._sid, self._namespace))
        return 0 if connection is None else int(connection.queue.qsize())
