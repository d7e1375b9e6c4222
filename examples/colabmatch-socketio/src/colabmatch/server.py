"""The application: Socket.IO, the history over HTTP, and with `dev` what tests and the demo need."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import socketio
from fastapi import FastAPI, Header, HTTPException, Query
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from .dev import dev_routes
from .events import CoLabMatch
from .limits import Limit
from .store import Store
from .tokens import TokenRefused, Tokens


@dataclass(frozen=True, slots=True)
class Settings:
    secret: str
    database: str = ":memory:"
    dev: bool = False
    """Tokens for anyone, matches for the asking, and connections that are cut on request."""
    origins: tuple[str, ...] = ()
    """Pages of these origins may connect besides the server's own; `*` stands for all."""
    www: str | None = None
    """The directory of a built page to serve."""
    messages_per_minute: int = 30
    typing_per_second: int = 10
    max_message_bytes: int = 10_240
    ping_interval_s: float = 25
    ping_timeout_s: float = 20


class Server:
    """`asgi` is the application for uvicorn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings.secret)
        origins = ["*"] if settings.dev else list(settings.origins)
        self.io = socketio.AsyncServer(
            async_mode="asgi",
            # Each connection's events are handled one after the other, so that its messages keep their order.
            async_handlers=False,
            cors_allowed_origins="*" if "*" in origins else origins or None,
            max_http_buffer_size=4 * settings.max_message_bytes,
            ping_interval=settings.ping_interval_s,
            ping_timeout=settings.ping_timeout_s,
        )
        api = FastAPI(title="CoLabMatch", lifespan=self._lifespan)
        api.add_middleware(CORSMiddleware, allow_origins=origins, allow_headers=["*"], allow_methods=["*"])
        api.get("/healthz")(self._health)
        api.get("/api/matches/{match_id}/messages")(self._history)
        self._api = api
        self.asgi = socketio.ASGIApp(self.io, other_asgi_app=api)

    @asynccontextmanager
    async def _lifespan(self, api: FastAPI) -> AsyncIterator[None]:
        settings = self._settings
        limits = [Limit(settings.messages_per_minute, 60), Limit(settings.typing_per_second, 1)]
        async with Store.open(settings.database) as store:
            self._store = store
            namespace = CoLabMatch(store, self._tokens, limits[0], limits[1], settings.max_message_bytes)
            self.io.register_namespace(namespace)
            if settings.dev:
                api.include_router(dev_routes(self.io, namespace, store, self._tokens))
            if settings.www is not None:
                # The last, because it takes every path.
                api.mount("/", StaticFiles(directory=settings.www, html=True))
            sweeping = asyncio.create_task(_sweep(limits))
            try:
                yield
            finally:
                sweeping.cancel()
                await self.io.shutdown()

    async def _health(self) -> dict[str, str]:
        return {"status": "ok"}

    async def _history(
        self,
        match_id: str,
        before: int | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        authorization: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        """The last messages before an id, oldest first."""
        try:
            user = self._tokens.user((authorization or "").removeprefix("Bearer "))
        except TokenRefused as refused:
            raise HTTPException(401, str(refused)) from None
        match = await self._store.match(match_id)
        if match is None or match.partner(user) is None:
            raise HTTPException(403, "Not a match of yours")
        messages = await self._store.history(match_id, before, limit)
        next_before = str(messages[0].id) if len(messages) == limit else None
        return {"messages": [message.event() for message in messages], "next_before": next_before}


async def _sweep(limits: list[Limit]) -> None:
    while True:
        await asyncio.sleep(60)
        for limit in limits:
            limit.forget_idle(time.monotonic())
