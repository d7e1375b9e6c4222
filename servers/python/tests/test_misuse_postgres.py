"""Handlers on PostgreSQL that do what they should not: only their own message suffers."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from everwire import Context, Limits, publish
from everwire.store import ContentRefused
from everwire.store.endings import TransactionMisuseError
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


async def commit_behind_another_statement(db: Any, ctx: Context) -> None:
    await db.execute("SELECT ';'; COMMIT; SELECT 1")


async def roll_back_behind_another_statement(db: Any, ctx: Context) -> None:
    await db.execute("SELECT $x$ it's $x$; ROLLBACK")


async def commit_behind_a_comment(db: Any, ctx: Context) -> None:
    await db.execute("-- it's done\n/* so */ COMMIT")


async def prepare_the_transaction(db: Any, ctx: Context) -> None:
    await db.execute("PREPARE  TRANSACTION 'ours'")


async def look_for_tables_elsewhere(db: Any, ctx: Context) -> None:
    await db.execute("SET search_path = pg_catalog")
    ctx.publish(ctx.user, "not told", {})


async def close(db: Any, ctx: Context) -> None:
    await db.close()


async def terminate(db: Any, ctx: Context) -> None:
    db.terminate()


async def do_two_at_once(db: Any, ctx: Context) -> None:
    await asyncio.gather(db.fetch("SELECT pg_sleep(0.05)"), db.fetch("SELECT pg_sleep(0.05)"))


Misuse = Callable[[Any, Context], Awaitable[None]]
MISUSES = [
    go_on_after_a_failed_statement,
    join_and_go_on,
    commit,
    roll_back,
    commit_behind_another_statement,
    roll_back_behind_another_statement,
    commit_behind_a_comment,
    prepare_the_transaction,
    look_for_tables_elsewhere,
    close,
    terminate,
    do_two_at_once,
]


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


async def test_a_connection_kept_beyond_its_handler_cannot_undo_the_transaction(database: str) -> None:
    store = PostgresStore(database)
    await store.open(Limits())
    async with store.transaction() as tx:
        await tx.hello("ada", "client", "owner", 1)
        await tx.savepoint()
        kept = tx.native
        await kept.execute("CREATE TABLE words (word TEXT UNIQUE)")
        await tx.release()
        with pytest.raises(TransactionMisuseError, match="beyond its handler"):
            await kept.execute("SELECT 1 / 0")
    async with store.transaction() as tx:
        assert await tx.touch("ada", "client", "owner", 2)
    await store.close()


async def test_what_the_library_writes_between_two_messages_is_not_undone_with_the_second(database: str) -> None:
    store = PostgresStore(database)
    await store.open(Limits())
    async with store.transaction() as tx:
        await tx.hello("ada", "client", "owner", 1)
        await tx.savepoint()
        await tx.native.execute("CREATE TABLE words (word TEXT UNIQUE)")
        await tx.release()
        assert await tx.take("ada", "client", "owner", 0, 7)
        await tx.savepoint()
        await tx.native.execute(_INSERT, "undone")
        await tx.rollback()
    async with store.transaction() as tx:
        assert await tx.hello("ada", "client", "owner", 2) == 7
        assert await tx.native.fetchval("SELECT COUNT(*) FROM words") == 0
    await store.close()


@pytest.mark.parametrize("ends", list(itertools.product(["lent", "joined", "refused"], repeat=3)))
async def test_messages_that_end_in_any_order_are_committed(database: str, ends: tuple[str, ...]) -> None:
    store = PostgresStore(database)
    await store.open(Limits())
    async with store.transaction() as tx:
        for n, end in enumerate(ends):
            await tx.savepoint()
            await tx.join("ada", "client", f"{end} {n}")
            if end != "joined":
                await tx.native.fetchval("SELECT 1")
            await (tx.rollback() if end == "refused" else tx.release())
    async with store.transaction() as tx:
        kept = sorted(await tx.rooms("ada"))
    assert kept == sorted(f"{end} {n}" for n, end in enumerate(ends) if end != "refused")
    await store.close()


async def test_a_failed_statement_that_nothing_follows_is_not_committed(database: str) -> None:
    store = PostgresStore(database)
    await store.open(Limits())

    async def fail() -> None:
        async with store.transaction() as tx:
            await tx.hello("ada", "client", "owner", 1)
            await tx.savepoint()
            with suppress(asyncpg.PostgresError):
                await tx.join("ada", "client", "a room with \0")
            await tx.release()

    with pytest.raises(ContentRefused):
        await fail()
    await store.close()


async def test_the_lent_connection_does_what_asyncpg_does(start: Start, database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("CREATE TABLE words (word TEXT UNIQUE)")
    async with start(store=PostgresStore(database)) as server:

        @server.wire.on("word")
        async def word(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
            db = await ctx.db()
            await db.execute("INSERT INTO words VALUES ('a; COMMIT'), ($x$; ROLLBACK$x$), (E'\\'; END'); -- ; ABORT")
            await db.executemany(command=_INSERT, args=[("b",), ("c",)])
            async with db.transaction():
                await db.execute(_INSERT, "d", timeout=5)
                with suppress(asyncpg.UniqueViolationError):
                    async with db.transaction():
                        await db.execute(_INSERT, "undone")
                        await db.execute(_INSERT, "d")
            await db.execute("SAVEPOINT here; INSERT INTO words VALUES ('undone'); ROLLBACK TO SAVEPOINT here")
            statement = await db.prepare("SELECT COUNT(*) FROM words")
            kept = [row["word"] async for row in db.cursor("SELECT word FROM words WHERE word ~ '^.$' ORDER BY 1")]
            await publish(db, ctx.user, "told", {})
            case = await db.fetchval(query="SELECT CASE WHEN true THEN 1 END")
            return {"count": await statement.fetchval(), "kept": kept, "case": case}

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("word", seq=1, request=True)
        came = await ada.acknowledged(1)
        # What `publish` has stored comes when the database tells of it.
        while {frame["type"] for frame in came if "stream" in frame} != {"told", "reply"}:
            came.append(await ada.frame())
        reply = next(frame for frame in came if frame["type"] == "reply")
        assert reply["data"]["result"] == {"count": 6, "kept": ["b", "c", "d"], "case": 1}
        await ada.close()
    await owner.close()
