"""The stores that come with the library."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from everwire import Limits, SqliteStore, StoreError
from everwire.conformance import Make, StoreConformance
from everwire.store.postgres import PostgresStore


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    async def make(self, tmp_path: Path) -> Make:
        return lambda: SqliteStore(tmp_path / "everwire.db", durable=False)

    async def test_a_file_that_is_none_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("this is no database, and long enough to be taken for one " * 20)
        with pytest.raises(StoreError, match="cannot open"):
            await SqliteStore(tmp_path / "text").open(Limits())
        with pytest.raises(ValueError, match="needs a file"):
            SqliteStore(":memory:")


class TestPostgresStore(StoreConformance):
    @pytest.fixture
    async def make(self, database: str) -> AsyncIterator[Make]:
        pools = [await asyncpg.create_pool(database, min_size=0, max_size=6) for _ in range(2)]
        made = 0

        def make() -> PostgresStore:
            nonlocal made
            made += 1
            return PostgresStore(pools[made % 2])

        yield make
        for pool in pools:
            await pool.close()

    async def test_a_database_that_is_away_is_a_clear_error(self) -> None:
        pool = asyncpg.create_pool("postgresql://127.0.0.1:1/none", min_size=0, max_size=1, timeout=2)
        async with pool:
            store = PostgresStore(pool)
            with pytest.raises(StoreError, match="cannot open"):
                await store.open(Limits())

    async def test_a_listener_that_was_cut_off_says_to_look_everywhere(self, make: Make) -> None:
        store = make()
        await store.open(Limits())
        async with store.transaction() as tx:
            await tx.native.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        async with asyncio.timeout(10):
            assert await store.changes() is None
        await store.close()


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
async def test_a_higher_epoch_begins_and_a_lower_one_is_refused(kind: str, tmp_path: Path, database: str) -> None:
    async def opened(epoch: int | None = None) -> int:
        path = tmp_path / "everwire.db"
        store = SqliteStore(path, epoch=epoch) if kind == "SQLite" else PostgresStore(database, epoch=epoch)
        begun = await store.open(Limits())
        await store.close()
        return begun

    first = await opened()
    for epoch in (first + 5, None, first + 5):
        assert await opened(epoch) == first + 5
    with pytest.raises(StoreError, match=f"`epoch` is {first}, and must not be lower than {first + 5}"):
        await opened(first)
    assert await opened() == first + 5
