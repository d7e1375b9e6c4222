"""Handlers on PostgreSQL that do what they should not: only their own message suffers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from everwire import Context
from everwire.store.postgres import PostgresStore

from .conftest import Start

_INSERT = "INSERT INTO words (word) VALUES ($1)"


async def go_on_after_a_failed_statement(db: Any, ctx: Context) -> None:
    await db.execute(_INSERT, "undone")
    with suppress(asyncpg.UniqueViolationError):
        await db.execute(_INSERT, "undone")
    ctx.publish(ctx.user, "not told", {})


async def join_and_go_on(db: Any, ctx: Context) -> None:
    with suppress(asyncpg.PostgresError):
        await ctx.join("a room with \0")


async def commit(db: Any, ctx: Context) -> None:
    await db.execute(_INSERT, "undone")
    await db.execute("COMMIT")


async def roll_back(db: Any, ctx: Context) -> None:
    await db.fetch("rollback")


async def close(db: Any, ctx: Context) -> None:
    await db.close()


async def terminate(db: Any, ctx: Context) -> None:
    db.terminate()


async def do_two_at_once(db: Any, ctx: Context) -> None:
    await asyncio.gather(db.fetch("SELECT pg_sleep(0.05)"), db.fetch("SELECT pg_sleep(0.05)"))


Misuse = Callable[[Any, Context], Awaitable[None]]
MISUSES = [go_on_after_a_failed_statement, join_and_go_on, commit, roll_back, close, terminate, do_two_at_once]


@pytest.mark.parametrize("misuse", MISUSES)
@pytest.mark.parametrize("is_alone", [True, False])
async def test_what_a_handler_breaks_refuses_its_message_and_no_other(
    start: Start, database: str, misuse: Misuse, is_alone: bool
) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("CREATE TABLE words (word TEXT UNIQUE)")
    async with start(store=PostgresStore(database, writers=1)) as server:

        @server.wire.on("misuse")
        async def broken(ctx: Context, data: dict[str, Any]) -> None:
            await misuse(await ctx.db(), ctx)

        @server.wire.on("word")
        async def word(ctx: Context, data: dict[str, Any]) -> None:
            db = await ctx.db()
            async with db.transaction():
                await db.execute(_INSERT, data["word"])
            ctx.publish(ctx.user, "kept", {"word": data["word"]})

        users = [await server.connect(name) for name in ("ada", "ben")]
        for user in users:
            await user.hello()
        ada, ben = users
        if not is_alone:
            await ben.send("word", {"word": "ben's"}, seq=1)
            await ada.send("word", {"word": "first"}, seq=1)
        await ada.send("misuse", seq=1 if is_alone else 2)
        if not is_alone:
            await ada.send("word", {"word": "last"}, seq=3)
        came = await ada.acknowledged(1 if is_alone else 3) + await ada.settle()
        assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
        expected = [] if is_alone else ["first", "last"]
        assert [frame["data"]["word"] for frame in came if frame["type"] == "kept"] == expected
        assert not [frame for frame in came if frame["type"] == "not told"]
        if not is_alone:
            came = await ben.acknowledged(1) + await ben.settle()
            assert [frame["type"] for frame in came] == ["kept"]
        stored = [row["word"] for row in await owner.fetch("SELECT word FROM words ORDER BY word")]
        assert stored == ([] if is_alone else ["ben's", "first", "last"])
        for user in users:
            await user.close()
    await owner.close()
