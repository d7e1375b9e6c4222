"""Events that are published in the application's own transactions, by other processes too."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from everwire import publish, publish_sync
from everwire.store.postgres import PostgresStore

from .conftest import Start


async def test_an_event_arrives_if_the_transaction_of_an_async_session_commits(start: Start, tmp_path: Path) -> None:
    async with start() as server:
        ada = await server.connect("ada")
        position = (await ada.hello())["streams"]["user"]
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'everwire.db'}")
        async with AsyncSession(engine) as session:
            await publish(session, "ada", "lost", {"n": 1})
            await session.rollback()
        async with AsyncSession(engine) as session, session.begin():
            assert await publish(session, "ada", "kept", {"n": 2}) == position + 1
            assert await publish(session, "nobody", "kept", {"n": 2}) is None
        async with engine.begin() as connection:
            await publish(connection, "ada", "kept", {"n": 3})
        await engine.dispose()
        got = [await ada.until("kept") for _ in range(2)]
        assert [(frame["data"]["n"], frame["offset"]) for frame in got] == [(2, position + 1), (3, position + 2)]
        await ada.close()


async def test_an_event_arrives_through_blocking_sessions_and_connections(start: Start, tmp_path: Path) -> None:
    async with start() as server:
        ada = await server.connect("ada")
        await ada.hello()

        def work() -> None:
            engine = create_engine(f"sqlite:///{tmp_path / 'everwire.db'}")
            with Session(engine) as session, session.begin():
                publish_sync(session, "ada", "n", {"n": 1})
            with engine.begin() as connection:
                publish_sync(connection, "ada", "n", {"n": 2})
            engine.dispose()
            with closing(sqlite3.connect(tmp_path / "everwire.db")) as db, db:
                publish_sync(db, "ada", "n", {"n": 3})

        await asyncio.to_thread(work)
        assert [(await ada.until("n"))["data"]["n"] for _ in range(3)] == [1, 2, 3]
        await ada.close()


async def test_an_event_of_another_process_arrives_over_postgresql(start: Start, database: str) -> None:
    async with (
        asyncpg.create_pool(database, min_size=0, max_size=8) as pool,
        start(store=PostgresStore(pool)) as server,
    ):
        ada = await server.connect("ada")
        await ada.hello()
        connection = await asyncpg.connect(database)
        transaction = connection.transaction()
        await transaction.start()
        await publish(connection, "ada", "lost", {"n": 1})
        await transaction.rollback()
        async with connection.transaction():
            await publish(connection, "ada", "n", {"n": 2})
        await connection.close()
        engine = create_async_engine(database.replace("postgresql:", "postgresql+asyncpg:"))
        async with AsyncSession(engine) as session, session.begin():
            await publish(session, "ada", "n", {"n": 3})
        await engine.dispose()
        async with asyncio.timeout(5):
            assert [(await ada.until("n"))["data"]["n"] for _ in range(2)] == [2, 3]
        await ada.close()


async def test_a_task_in_another_process_publishes_through_a_blocking_session_on_postgresql(
    start: Start, database: str
) -> None:
    async with start(store=PostgresStore(database)) as server:
        ada = await server.connect("ada")
        await ada.hello()

        def task() -> None:
            engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
            with Session(engine) as session, session.begin():
                publish_sync(session, "ada", "n", {"n": 1})
            with Session(engine) as session:
                publish_sync(session, "ada", "n", {"n": "rolled back"})
            with engine.begin() as connection:
                publish_sync(connection, "ada", "n", {"n": 2})
            engine.dispose()

        await asyncio.to_thread(task)
        async with asyncio.timeout(5):
            assert [(await ada.until("n"))["data"]["n"] for _ in range(2)] == [1, 2]
        await ada.close()


async def test_what_is_no_json_is_refused_at_the_call(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as db, pytest.raises(TypeError):
        publish_sync(db, "ada", "n", {"n": object()})
