"""A database that goes away: nothing is acknowledged that is not stored, and the server is back by itself."""

import asyncio

import asyncpg

from everwire.store.postgres import PostgresStore
from everwire.testing import Client, Closed, Running

from .conftest import Start


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
