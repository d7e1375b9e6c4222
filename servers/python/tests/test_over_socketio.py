"""The reliable mode over Socket.IO, with the client of python-socketio."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any

import socketio
import uvicorn

from everwire import Context, Everwire, Identity, Limits, Refuse, SqliteStore, Tokens
from everwire.over_socketio import OverSocketIo

from .conftest import SECRET

CLIENT_ID = "k3Zq8vXw2LmN4pRt"


class Client:
    def __init__(self) -> None:
        self.io = socketio.AsyncClient(reconnection=False)
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.io.on("everwire", self._frames.put)
        self.closed: list[int] = []
        self.io.on("everwire_close", self._say_closed)

    async def _say_closed(self, code: int) -> None:
        self.closed.append(code)

    async def say(self, kind: str, data: object, **fields: Any) -> None:
        await self.io.emit("everwire", {"type": kind, "data": data, **fields})

    async def until(self, kind: str) -> dict[str, Any]:
        while True:
            frame = await asyncio.wait_for(self._frames.get(), 10)
            if frame["type"] == kind:
                return frame

    async def hello(self, streams: dict[str, int] | None = None) -> dict[str, Any]:
        await self.say("hello", {"versions": [1], "client_id": CLIENT_ID, "streams": streams or {}})
        welcome: dict[str, Any] = (await self.until("welcome"))["data"]
        return welcome


@asynccontextmanager
async def serving(tmp_path: Path, limits: Limits | None = None, **options: Any) -> AsyncIterator[tuple[Everwire, str]]:
    wire = Everwire(store=SqliteStore(str(tmp_path / "everwire.db")), tokens=Tokens(SECRET), limits=limits)

    @wire.on("note")
    async def note(ctx: Context, data: dict[str, Any]) -> None:
        if data.get("text") == "no":
            raise Refuse("not_allowed")
        ctx.publish(ctx.user, "noted", data)

    io = socketio.AsyncServer(async_mode="asgi", **options)
    reliable = OverSocketIo(io, wire)

    async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
        reliable.connected(sid, Identity(auth["user"], inf))

    async def disconnect(sid: str, reason: str) -> None:
        reliable.disconnected(sid)

    io.on("connect", connect)
    io.on("disconnect", disconnect)
    async with wire.lifespan():
        server = uvicorn.Server(uvicorn.Config(socketio.ASGIApp(io), port=0, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        try:
            yield wire, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    client = Client()
    await client.io.connect(url, auth={"user": "ada"}, transports=["websocket"])
    try:
        yield client
    finally:
        await client.io.disconnect()


async def test_a_message_is_processed_once_and_its_event_is_stored(tmp_path: Path) -> None:
    async with serving(tmp_path) as (wire, url):
        async with connected(url) as ada:
            welcome = await ada.hello()
            for _ in range(2):
                await ada.say("note", {"text": "hello"}, seq=1)
            noted = await ada.until("noted")
            assert (noted["data"], noted["stream"]) == ({"text": "hello"}, "user")
            assert (await ada.until("ack"))["data"] == {"seq": 1}
        await wire.publish("ada", "later", {})
        async with connected(url) as ada:
            again = await ada.hello({"user": noted["offset"]})
            assert (again["last"], again["epoch"]) == (1, welcome["epoch"])
            assert (await ada.until("later"))["offset"] > noted["offset"]


async def test_a_refused_message_is_acknowledged_and_the_next_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), connected(url) as ada:
        await ada.hello()
        await ada.say("note", {"text": "no"}, seq=1)
        await ada.say("note", {"text": "yes"}, seq=2)
        error = (await ada.until("error"))["data"]
        assert (error["code"], error["seq"]) == ("not_allowed", 1)
        assert (await ada.until("noted"))["data"] == {"text": "yes"}


async def test_a_pong_comes_behind_the_welcome(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), connected(url) as ada:
        await ada.say("hello", {"versions": [1], "client_id": CLIENT_ID})
        await ada.say("ping", {})
        await ada.until("welcome")
        await ada.until("pong")


async def test_the_welcome_names_the_largest_message_whose_packet_arrives(tmp_path: Path) -> None:
    limits = Limits(max_message_bytes=100_000)
    async with serving(tmp_path, limits, max_http_buffer_size=5_000) as (_, url), connected(url) as ada:
        most = (await ada.hello())["max_bytes"]
        empty = len(json.dumps({"type": "note", "data": {"text": ""}}, separators=(",", ":")))
        text = "x" * (most - empty)
        await ada.say("note", {"text": text}, seq=2**53 - 1, prev=0)
        assert (await ada.until("noted"))["data"] == {"text": text}
        await ada.say("note", {"text": text + "x" * 60}, seq=2**53 - 1, prev=0)
        await asyncio.wait_for(ada.io.wait(), 10)
        assert not ada.io.connected
    async with serving(tmp_path) as (_, url), connected(url) as ada:
        assert (await ada.hello())["max_bytes"] == Limits().max_message_bytes


async def test_who_breaks_the_rules_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), connected(url) as ada:
        await ada.say("note", {"text": "before hello"}, seq=1)
        await asyncio.wait_for(ada.io.wait(), 10)
        assert not ada.io.connected
        assert ada.closed == [4400]
