"""A database that goes away: nothing is acknowledged that is not stored, and the server is back by itself."""

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import cast

import asyncpg
import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from everwire import Everwire, Identity, Limits, SqliteStore, StoreError, Tokens, connection, keeper
from everwire.store.postgres import PostgresStore, PostgresTransaction
from everwire.testing import Client, Closed, Running

from .conftest import SECRET, Start


async def send_until_acknowledged(server: Running, client_id: str, seq: int) -> Client:
    while True:
        ada = await server.connect("ada")
        try:
            welcome = await ada.hello(client_id)
            if welcome["last"] < seq:
                await ada.send("push", {"user": "ben", "n": seq}, seq=seq)
                await ada.acknowledged(seq)
        except Closed:
            await asyncio.sleep(0.05)
        else:
            return ada


async def test_connections_to_postgresql_that_break_lose_and_double_nothing(start: Start, database: str) -> None:
    async with start(store=PostgresStore(database)) as server:
        ben = await server.connect("ben")
        await ben.hello()
        breaker = await asyncpg.connect(database)
        for seq in range(1, 9):
            await breaker.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            ada = await send_until_acknowledged(server, "k3Zq8vXw2LmN4pRt", seq)
            ada.cut()
        got = [(await ben.until("pushed"))["data"]["n"] for _ in range(8)]
        assert got == list(range(1, 9))
        await breaker.close()
        ben.cut()


async def test_a_file_that_another_process_has_locked_delays_and_loses_nothing(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "everwire.db"
    async with start(store=SqliteStore(path, busy_timeout_s=0.2)) as server:
        ada, ben = await server.connect("ada"), await server.connect("ben")
        await ada.hello("k3Zq8vXw2LmN4pRt")
        await ben.hello()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await ada.send("push", {"user": "ben", "n": 1}, seq=1)
            assert await ada.closed() == 1011
            with pytest.raises(StoreError):
                await server.wire.publish("ben", "pushed", {"n": 0})
            other.execute("ROLLBACK")
        again = await send_until_acknowledged(server, "k3Zq8vXw2LmN4pRt", 1)
        assert (await ben.until("pushed"))["data"]["n"] == 1
        again.cut()
        await ben.close()


async def _uncancelled(event: asyncio.Event) -> None:
    """A driver that is cancelled waits for the server all the same."""
    try:
        await event.wait()
    except asyncio.CancelledError:
        await event.wait()
        raise


class Hanging(PostgresStore):
    """Where the next transaction, or the next read, waits until it is released."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.read: asyncio.Event | None = None
        self.gate: asyncio.Event | None = None
        self.passed = asyncio.Event()

    async def newest(self, user: str, stream: str) -> int | None:
        if self.read is not None:
            await _uncancelled(self.read)
        return await super().newest(user, stream)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        gate, self.gate = self.gate, None
        if gate is not None:
            await _uncancelled(gate)
        async with super().transaction() as tx:
            yield tx
        if gate is not None:
            self.passed.set()


async def test_a_hello_is_given_up_while_a_database_hangs_over_a_connection(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_OPENING_S", 0.1)
    store = Hanging(database)
    async with start(store=store) as server:
        store.read = asyncio.Event()
        ada = await server.connect("ada")
        await ada.send("hello", {"versions": [1], "client_id": "k3Zq8vXw2LmN4pRt"})
        assert await asyncio.wait_for(ada.closed(), 5) == 1013
        store.read.set()
        store.read = None
        again = await server.connect("ada")
        await again.hello("k3Zq8vXw2LmN4pRt")
        await again.close()


class Departed:
    """A WebSocket whose client has gone."""

    async def close(self, code: int, reason: str) -> None:
        raise WebSocketDisconnect(1006)


async def test_a_client_that_has_gone_is_no_error_where_its_connection_is_not_served(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_OPENING_S", 0.1)
    departed, ada = cast(WebSocket, Departed()), Identity("ada", math.inf)
    store = Hanging(database)
    async with start(store=store, limits=Limits(connections_per_user=1)) as server:
        engine = server.wire.engine
        store.read = asyncio.Event()
        await connection.serve(engine, departed, ada)
        store.read.set()
        monkeypatch.setattr(engine, "is_open", False)
        await connection.serve(engine, departed, ada)
        monkeypatch.undo()
        assert not engine.peers
        first = await server.connect("ada")
        await first.hello()
        assert await connection.refuse_surplus(engine, departed, ada)
        await first.close()


async def test_a_late_hello_takes_nothing_from_a_later_connection(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_HELLO_WAITS_S", 0.1)
    store = Hanging(database)
    async with start(store=store) as server:
        early = await server.connect("ada")
        gate = store.gate = asyncio.Event()
        await early.send("hello", {"versions": [1], "client_id": "k3Zq8vXw2LmN4pRt"})
        assert await early.closed() == 1013
        late = await server.connect("ada")
        await late.hello("k3Zq8vXw2LmN4pRt")
        gate.set()
        await store.passed.wait()
        await late.send("push", {"user": "ada", "n": 1}, seq=1)
        await late.acknowledged(1)
        await late.close()


async def test_a_hello_that_is_given_up_behind_the_row_of_its_client_leaves_nothing(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = "SELECT owner FROM everwire_clients WHERE client_id = 'k3Zq8vXw2LmN4pRt'"
    busy = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    async with start(store=PostgresStore(database)) as server:
        first = await server.connect("ada")
        await first.hello("k3Zq8vXw2LmN4pRt")
        await first.close()
        monkeypatch.setattr(keeper, "_HELLO_WAITS_S", 0.1)
        other = await asyncpg.connect(database)
        while await other.fetchval(owner):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        async with other.transaction():
            await other.fetchval(f"{owner} FOR UPDATE")
            early = await server.connect("ada")
            await early.send("hello", {"versions": [1], "client_id": "k3Zq8vXw2LmN4pRt"})
            assert await early.closed() == 1013
        while await other.fetch(busy):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await other.fetchval(owner) == ""
        await other.close()


async def test_a_database_that_does_not_exist_is_an_error_at_the_start_and_not_waited_for(database: str) -> None:
    nowhere = database.rsplit("/", 1)[0] + "/there_is_no_such_database"
    with pytest.raises(StoreError, match="cannot open"):
        async with Everwire(store=PostgresStore(nowhere), tokens=Tokens(SECRET)).lifespan():
            pass


async def test_publishers_are_told_while_the_store_is_not_open() -> None:
    wire = Everwire(store=PostgresStore("postgresql://127.0.0.1:1/none"), tokens=Tokens(SECRET))
    async with wire.lifespan():
        assert not wire.is_ready
        with pytest.raises(StoreError, match="not open"):
            await wire.publish("ada", "n", {})
