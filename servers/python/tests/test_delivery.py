"""The process dies and the network fails: nothing that was acknowledged is lost, nothing is processed or delivered twice."""

import asyncio
import random
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
import websockets.exceptions

from everwire import Tokens
from everwire.testing import Client, Closed, FaultProxy, ServerProcess, free_port
from everwire.testing.fixtures import FaultsFactory, ProcessFactory

from .conftest import SECRET

MESSAGES = 1000
GONE = (OSError, Closed, TimeoutError, websockets.exceptions.WebSocketException, EOFError)


class Sender:
    """Sends numbered requests, again on every connection that lacks them, now and then some too many."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports
        self.acked = 0
        self.replies: list[int] = []
        self.streams: dict[str, int] = {}
        self.repeated = 0
        self.trouble: asyncio.Future[None] | None = None
        self.random = random.Random(1)

    async def run(self) -> None:
        while self.acked < MESSAGES or len(self.replies) < MESSAGES:
            try:
                client = await connect("ada", random.choice(self.ports))
            except GONE:
                await asyncio.sleep(0.02)
                continue
            try:
                async with asyncio.timeout(3):
                    await self._converse(client)
            except GONE:
                pass
            client.cut()

    async def _converse(self, client: Client) -> None:
        welcome = await client.hello("k3Zq8vXw2LmN4pRt", self.streams)
        assert welcome["last"] >= self.acked
        for name, position in welcome["streams"].items():
            # Nothing of the history is missing.
            assert self.streams.setdefault(name, position) == position
        self.acked = welcome["last"]
        reading = asyncio.create_task(self._read(client))
        sending = asyncio.create_task(self._send(client))
        try:
            await reading
        finally:
            reading.cancel()
            sending.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)

    async def _send(self, client: Client) -> None:
        seq = self.acked + 1
        while seq <= MESSAGES:
            # The last quarter is sent when all trouble is over, so that there is something to send in all of it.
            if seq > MESSAGES * 3 // 4 and self.trouble is not None:
                await asyncio.wait([self.trouble])
            if self.random.random() < 0.02:
                back = min(self.random.randrange(1, 40), seq - 1)
                self.repeated += back
                seq -= back
            await client.send("count", {"n": seq}, seq=seq, request=True)
            seq += 1

    async def _read(self, client: Client) -> None:
        while self.acked < MESSAGES or len(self.replies) < MESSAGES:
            frame = await client.frame()
            if frame["type"] == "ack":
                assert frame["data"]["seq"] >= self.acked
                self.acked = frame["data"]["seq"]
            elif frame["type"] == "reply":
                advance(self.streams, frame)
                self.replies.append(frame["data"]["seq"])


class Receiver:
    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports
        self.got: list[int] = []
        self.streams: dict[str, int] = {}

    async def run(self) -> None:
        while len(self.got) < MESSAGES:
            try:
                client = await connect("ben", random.choice(self.ports))
            except GONE:
                await asyncio.sleep(0.02)
                continue
            try:
                async with asyncio.timeout(3):
                    welcome = await client.hello("p9Yw1tBv6QcX3nZs", self.streams)
                    for name, position in welcome["streams"].items():
                        assert self.streams.setdefault(name, position) == position
                    while len(self.got) < MESSAGES:
                        frame = await client.frame()
                        assert frame["type"] != "stream"
                        if frame["type"] == "counted":
                            advance(self.streams, frame)
                            self.got.append(frame["data"]["n"])
            except GONE:
                pass
            client.cut()


def advance(streams: dict[str, int], frame: dict[str, Any]) -> None:
    position = streams[frame["stream"]]
    assert frame.get("prev", frame["offset"] - 1) == position
    streams[frame["stream"]] = frame["offset"]


async def connect(user: str, port: int) -> Client:
    token = quote(Tokens(SECRET).issue(user))
    async with asyncio.timeout(3):
        return await Client.connect(f"ws://127.0.0.1:{port}/api/ws?token={token}")


async def deliver(
    database: "Database", ports: Sequence[int], make_trouble: Callable[[], Awaitable[None]], *, within_s: float = 50
) -> Sender:
    sender, receiver = Sender(ports), Receiver(ports)
    # The receiver's stream begins before anything is sent.
    first = await connect("ben", ports[0])
    receiver.streams = (await first.hello("p9Yw1tBv6QcX3nZs"))["streams"]
    first.cut()
    trouble = sender.trouble = asyncio.ensure_future(make_trouble())
    try:
        async with asyncio.timeout(within_s):
            await asyncio.gather(sender.run(), receiver.run())
    finally:
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
    assert sender.replies == list(range(1, MESSAGES + 1))
    assert receiver.got == list(range(1, MESSAGES + 1))
    assert await database.processed() == list(range(1, MESSAGES + 1))
    assert sender.repeated > 0
    return sender


class Database:
    """What the handlers have written, in one of the two databases."""

    def __init__(self, where: str) -> None:
        self.where = where

    async def prepare(self) -> None:
        kind = "SERIAL" if self.where.startswith("postgresql:") else "INTEGER"
        await self._run(f"CREATE TABLE processed (id {kind} PRIMARY KEY, user_id TEXT, n INTEGER)")

    async def processed(self) -> list[int]:
        return [row[0] for row in await self._run("SELECT n FROM processed ORDER BY id")]

    async def _run(self, statement: str) -> list[Any]:
        if self.where.startswith("postgresql:"):
            connection = await asyncpg.connect(self.where)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()
        with closing(sqlite3.connect(self.where)) as db, db:
            return db.execute(statement).fetchall()


@pytest.fixture(params=["sqlite", "postgresql"])
async def stored(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Database:
    stored = Database(str(tmp_path / "everwire.db") if request.param == "sqlite" else database)
    await stored.prepare()
    return stored


async def start(make: ProcessFactory, database: Database) -> ServerProcess:
    port = free_port()
    return await make([sys.executable, "-m", "tests.mortal", database.where, str(port)], port)


async def test_everything_arrives_once_and_in_order_however_often_the_server_is_killed(
    everwire_process: ProcessFactory, stored: Database
) -> None:
    process = await start(everwire_process, stored)
    kills = 0

    async def killing() -> None:
        nonlocal kills
        while kills < 4:
            await asyncio.sleep(random.uniform(0.1, 0.4))
            await process.kill()
            kills += 1
            await process.start()

    await deliver(stored, [process.port], killing)
    assert kills == 4


async def test_everything_arrives_once_and_in_order_over_a_bad_network(
    everwire_process: ProcessFactory, everwire_faults: FaultsFactory, stored: Database
) -> None:
    process = await start(everwire_process, stored)
    proxy = await everwire_faults(process.port)
    resets = 0

    async def failing(proxy: FaultProxy) -> None:
        nonlocal resets
        while resets < 12:
            proxy.latency_s = random.choice([0.0, 0.002])
            proxy.swallow_down = random.random() < 0.3
            proxy.swallow_up = random.random() < 0.3
            await asyncio.sleep(random.uniform(0.02, 0.15))
            proxy.reset()
            resets += 1
            proxy.swallow_down = proxy.swallow_up = False
            await asyncio.sleep(random.uniform(0.02, 0.1))
        proxy.latency_s = 0.0

    await deliver(stored, [proxy.port], lambda: failing(proxy))
    assert resets == 12
