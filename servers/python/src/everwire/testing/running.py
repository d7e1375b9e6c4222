"""A server in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import uvicorn

from ..everwire import Everwire
from ..token import Tokens
from .client import Client


@dataclass(slots=True)
class Running:
    wire: Everwire
    tokens: Tokens
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, user: str, token: str | None = None, port: int | None = None) -> str:
        token = self.tokens.issue(user) if token is None else token
        return f"ws://127.0.0.1:{port or self.port}/api/ws?token={quote(token)}"

    async def connect(self, user: str, token: str | None = None, port: int | None = None) -> Client:
        return await Client.connect(self.url(user, token, port))

    async def until_open(self, connections: int) -> None:
        """Until the server has this many connections."""
        async with asyncio.timeout(10):
            while len(self.wire.engine.peers) != connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(app: Any, wire: Everwire, tokens: Tokens) -> AsyncIterator[Running]:
    """Serves the application on a free port."""
    config = uvicorn.Config(app, port=0, log_level="warning", **wire.uvicorn_options())
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                if serving.done():
                    await serving
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Running(wire, tokens, port)
    finally:
        server.should_exit = True
        await serving
