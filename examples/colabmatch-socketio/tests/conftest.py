"""A server in the test's own event loop, and people who connect to it with the client of python-socketio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
import uvicorn

from colabmatch import Server, Settings
from colabmatch.tokens import Tokens

SECRET = "a secret for tests, known to everyone"
Event = tuple[str, dict[str, Any]]


class Person:
    """A connection that remembers what the server has sent."""

    def __init__(self) -> None:
        self.io = socketio.AsyncClient(reconnection=False)
        self.events: list[Event] = []
        self._came = asyncio.Condition()
        self.io.on("*", self._keep)
        self.io.on("connect_error", self._refused)

    async def _keep(self, event: str, data: dict[str, Any]) -> None:
        async with self._came:
            self.events.append((event, data))
            self._came.notify_all()

    async def _refused(self, why: dict[str, Any]) -> None:
        await self._keep("connect_error", why)

    async def heard(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """What came by this name, once there are so many."""

        def named() -> list[dict[str, Any]]:
            return [data for name, data in self.events if name == event]

        async with asyncio.timeout(10), self._came:
            await self._came.wait_for(lambda: len(named()) >= count)
        return named()

    async def ask(self, event: str, data: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.io.call(event, data, timeout=10)
        return answer


@dataclass
class World:
    url: str
    http: httpx.AsyncClient
    tokens: Tokens = field(default_factory=lambda: Tokens(SECRET))
    people: list[Person] = field(default_factory=list)

    async def connect(self, user: str, auth: object = None) -> Person:
        person = Person()
        self.people.append(person)
        auth = {"token": self.tokens.issue(user)} if auth is None else auth
        await person.io.connect(self.url, auth=auth, transports=["websocket"])
        return person

    async def refused(self, auth: object) -> dict[str, Any]:
        """What the server says to somebody whom it does not let in."""
        with pytest.raises(socketio.exceptions.ConnectionError):
            await self.connect("nobody", auth)
        [why] = await self.people[-1].heard("connect_error")
        return why

    async def dev(self, endpoint: str, **question: Any) -> httpx.Response:
        return await self.http.post(f"/dev/{endpoint}", json=question)

    async def match(self, *users: str, match_id: str = "m1") -> None:
        (await self.dev("match", match_id=match_id, users=users)).raise_for_status()

    async def joined(self, user: str, match_id: str = "m1") -> Person:
        person = await self.connect(user)
        assert (await person.ask("join_match", {"match_id": match_id}))["ok"]
        return person


Start = Callable[..., Awaitable[World]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    running: list[tuple[uvicorn.Server, asyncio.Task[None], World]] = []

    async def start(**settings: Any) -> World:
        settings = {"secret": SECRET, "dev": True, "database": str(tmp_path / "colabmatch.db"), **settings}
        config = uvicorn.Config(Server(Settings(**settings)).asgi, port=0, log_level="warning")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        world = World(url, httpx.AsyncClient(base_url=url))
        running.append((server, serving, world))
        return world

    yield start
    for server, serving, world in running:
        for person in world.people:
            await person.io.disconnect()
        await world.http.aclose()
        server.should_exit = True
        await serving


@pytest.fixture
async def world(start: Start) -> World:
    """With a match of Ada and Ben."""
    world = await start()
    await world.match("ada", "ben")
    return world
