"""`Everwire`: what an application makes, mounts and calls."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from . import frames
from .access_log import mask_tokens
from .bus import Bus, ToRoom
from .connection import refuse_surplus, serve
from .engine import Engine, OnPresence
from .envelope import Frame
from .handlers import Handler, Registered, register
from .limits import Limits
from .metrics import Metrics, NoMetrics
from .peer import Peer
from .report import describe
from .store import Store, StoreError
from .token import Identity, TokenRefused, Tokens

log = logging.getLogger("everwire")

_HEALTH_S = 1.0
_UNSTORED_S = 10.0

H = TypeVar("H", bound=Handler)
Authenticate = Callable[[HTTPConnection], Identity | Awaitable[Identity]]


class Everwire:
    """The server side of the protocol, to be mounted in a Starlette or FastAPI application::

    wire = Everwire(store=SqliteStore("app.db"), tokens=Tokens(secret))
    app = FastAPI(lifespan=wire.lifespan)
    app.router.routes.append(wire.route())

    @wire.on("message_sent")
    async def message_sent(ctx: Context, message: MessageSent) -> None: ...
    """

    def __init__(
        self,
        *,
        store: Store,
        tokens: Tokens | None = None,
        authenticate: Authenticate | None = None,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        allow_origins: list[str] | None = None,
        on_connect: Callable[[str], Mapping[str, Any] | None] | None = None,
        bus: Bus | None = None,
        on_presence: OnPresence | None = None,
        mask_access_log: bool = True,
    ) -> None:
        """`tokens` checks `?token=` and `Authorization: Bearer`; `authenticate` takes its place and raises `TokenRefused`.
        `allow_origins` are the pages that may connect, any if left out. `on_connect` gives the data of `connected`, which is
        sent to each connection first. `bus` joins several nodes. `on_presence(user, online)` is called when a user's first connection
        has come and when the last has gone, on one of the nodes, at most once; it may be async.
        `mask_access_log=False` leaves tokens in uvicorn's logs."""
        if (tokens is None) == (authenticate is None):
            raise ValueError("give either `tokens` or `authenticate`")
        self.limits = limits or Limits()
        self.metrics: Metrics = metrics or NoMetrics()
        self._tokens = tokens
        self._authenticate = authenticate
        self._allow_origins = allow_origins
        self._on_connect = on_connect
        self._mask = mask_access_log
        self._handlers: dict[str, Registered] = {}
        self.store = store
        self.engine = Engine(store, self.limits, self.metrics, self._handlers, bus, on_presence)
        if mask_access_log:
            mask_tokens()

    # Handlers.

    def on(self, kind: str, *, joins: bool = False, per_second: float | None = None) -> Callable[[H], H]:
        """Registers the handler of a type: `async def handler(ctx: Context, payload: Model)`. It runs inside the transaction that
        makes the message processed; what it returns is the `result` of a request. It may run again if the transaction fails, so what
        cannot be rolled back belongs into `ctx.after_commit`.

        `per_second` gives messages of this type that have no number a limit of their own, such as typing. `joins` lets those over
        the limit count as pings."""

        def decorate(call: H) -> H:
            if kind in ("hello", "ping") or kind in self._handlers:
                raise ValueError(f"there is a handler for {kind} already")
            self._handlers[kind] = register(kind, call, joins=joins, per_second=per_second)
            return call

        return decorate

    # Mounting.

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Opens and closes the store. If the database is away the application starts all the same, and connections are refused with
        1011 until it is there; anything else that is wrong with it raises `StoreError`.
        Enter it in the application's own lifespan if there is one."""
        if self._mask:
            # Again, since uvicorn may have set up its loggers after this was made.
            mask_tokens()
        await self.engine.start()
        try:
            yield
        finally:
            await self.engine.stop()

    def route(self, path: str = "/api/ws") -> WebSocketRoute:
        return WebSocketRoute(path, self.endpoint)

    async def endpoint(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint, for `app.add_websocket_route` or a route of one's own."""
        if self.engine.draining or len(self.engine.peers) >= self.limits.connections:
            await _refuse(websocket)
            return
        origin = websocket.headers.get("origin")
        if self._allow_origins is not None and origin is not None and origin not in self._allow_origins:
            await websocket.close()
            return
        # A browser can read a close code, and not an HTTP status.
        try:
            async with asyncio.timeout(self.limits.handler_timeout_s):
                identity = await self.identity(websocket)
        except TokenRefused as refused:
            await websocket.accept()
            await websocket.close(1008, str(refused))
            return
        except Exception as error:
            log.error("authenticate failed: %s", describe(error))
            await websocket.accept()
            await websocket.close(1011, "internal error")
            return
        await websocket.accept()
        if await refuse_surplus(self.engine, websocket, identity):
            return
        try:
            data = None if self._on_connect is None else self._on_connect(identity.user)
            greeting = None if data is None else frames.event("connected", data)
        except Exception as error:
            log.error("on_connect failed: %s", describe(error))
            await websocket.close(1011, "internal error")
            return
        if greeting is not None:
            await websocket.send_text(greeting)
        await serve(self.engine, websocket, identity)

    async def identity(self, connection: HTTPConnection) -> Identity:
        """Who this is, by `?token=` on WebSockets and `Authorization: Bearer` elsewhere. Raises `TokenRefused`."""
        if self._authenticate is not None:
            found = self._authenticate(connection)
            identity = found if isinstance(found, Identity) else await found
            try:
                frames.check_name("user", identity.user)
            except frames.EventError as error:
                log.error("authenticate found nobody: %s", error)
                raise TokenRefused("no such user") from None
            return identity
        assert self._tokens is not None  # noqa: S101
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else None
        if connection.scope["type"] == "websocket":
            token = connection.query_params.get("token") or token
        return self._tokens.check(token)

    async def user(self, connection: HTTPConnection) -> str:
        """`identity` as a FastAPI dependency, `user: Annotated[str, Depends(wire.user)]`: refused tokens are answered with 401."""
        try:
            return (await self.identity(connection)).user
        except TokenRefused as refused:
            raise HTTPException(401, str(refused), {"WWW-Authenticate": "Bearer"}) from None

    # What the application does outside of handlers.

    async def publish(self, user: str, kind: str, data: Mapping[str, Any], *, stream: str = "user") -> None:
        """Stores an event for a user in a transaction of its own, and returns when it cannot be lost any more."""
        await self.engine.publish([self.engine.event(user, kind, data, stream, "")])

    async def publish_to_room(self, room: str, kind: str, data: Mapping[str, Any]) -> None:
        frame = self.engine.frame(kind, data)
        async with self.store.transaction() as tx:
            stored = await tx.members(room)
        users = dict.fromkeys([*stored, *self.engine.rooms.users(room)])
        events = [self.engine.event(user, kind, data, "user", "") for user in users]
        if events:
            await self.engine.publish(events)
        if self.engine.bus is not None:
            self.engine.bus.tell(ToRoom(room, but=list(users)), frame)

    async def handle(self, user: str, kind: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Processes a message that came by other means than a connection, at most once, and returns the answers."""
        frames.check_name("user", user)
        identity = Identity(user, math.inf)
        now = time.monotonic()
        peer = Peer(identity, now, self.limits.window, self.engine.rates.bucket(user, "message", now))
        await self.engine.writer.process_alone(peer, Frame(kind, data))
        return [orjson.loads(frame) for frame in peer.outgoing]

    def tell(self, user: str, kind: str, data: Mapping[str, Any]) -> int:
        """Sends an event to the connections that the user has, at most once; says how many of them this process has."""
        frames.check_name("user", user)
        return self.engine.tell(user, frames.event(kind, data))

    def tell_everyone(self, kind: str, data: Mapping[str, Any]) -> None:
        """Sends an event to all who are connected, at most once."""
        self.engine.tell_everyone(frames.event(kind, data))

    @property
    def is_ready(self) -> bool:
        """Whether connections are taken: the store is open, and nothing is shutting down."""
        return self.engine.is_open and not self.engine.draining

    async def is_healthy(self) -> bool:
        """For health checks: connections are taken, the store answers within a second, and no message of the last 10 s has met
        a full disk, or a database that may only be read."""
        if not self.is_ready or time.monotonic() - self.engine.writer.unstored_at < _UNSTORED_S:
            return False
        try:
            async with asyncio.timeout(_HEALTH_S):
                await self.store.newest("", "user")
        except (StoreError, TimeoutError):
            return False
        return True

    def is_connected(self, user: str) -> bool:
        """Whether the user has a connection to this process."""
        return bool(self.engine.connections(user))

    async def online(self, users: Collection[str]) -> set[str]:
        """Who of these has a connection to any node."""
        return await self.engine.online(users)

    def close(self, user: str, code: int = 1000, reason: str = "") -> int:
        """Ends the user's connections to this process."""
        peers = list(self.engine.connections(user))
        for peer in peers:
            peer.close(code, reason)
        return len(peers)

    def uvicorn_options(self) -> dict[str, Any]:
        """Options of `uvicorn.run` and `uvicorn.Config` that the protocol needs."""
        return {
            # Bounds floods of frames that never become a message, which no application sees.
            "ws": "everwire.guard:GuardedWebSocket",
            "ws_max_size": self.limits.hard_max_bytes,
            # No extension is negotiated; and the client's heartbeat finds dead links without ending them with 1011.
            "ws_per_message_deflate": False,
            "ws_ping_interval": None,
        }


async def _refuse(websocket: WebSocket) -> None:
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(PlainTextResponse("try again later", 503))
    else:
        await websocket.close()
