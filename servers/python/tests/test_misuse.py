"""Handlers that do what they should not: only their own message suffers."""

import asyncio
import math
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from everwire import Context, Everwire, Limits, Refuse, SqliteStore, Tokens
from everwire.store.endings import TransactionMisuseError
from everwire.testing import Running, running
from everwire.token import Identity

from .conftest import Start


async def refuses_alone(server: Running, kind: str) -> None:
    """A message of this type is `internal`, and the one behind it goes on."""
    ada = await server.connect("ada")
    await ada.hello()
    await ada.send(kind, seq=1)
    await ada.send("note", {"text": "next"}, seq=2)
    came = await ada.acknowledged(2) + await ada.settle()
    assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
    assert [frame["data"]["text"] for frame in came if frame["type"] == "noted"] == ["next"]
    await ada.close()


def cancel_what_it_waits_for() -> asyncio.Task[None]:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    return task


def cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


@pytest.mark.parametrize(
    "kind", ["cancelled", "cancelled task", "cancels itself", "cancels itself and ends", "exit", "generator exit"]
)
async def test_a_handler_that_fails_otherwise_than_by_an_exception_stops_nobody(start: Start, kind: str) -> None:
    async with start() as server:

        @server.wire.on("fail")
        async def fail(ctx: Context, data: dict[str, Any]) -> None:
            if kind == "cancelled":
                raise asyncio.CancelledError
            if kind == "cancelled task":
                await cancel_what_it_waits_for()
            if kind.startswith("cancels itself"):
                cancel_itself()
                if kind == "cancels itself and ends":
                    return
                await asyncio.sleep(0)
            raise SystemExit if kind == "exit" else GeneratorExit

        await refuses_alone(server, "fail")
        ben = await server.connect("ben")
        await ben.hello()
        assert await server.wire.is_healthy()
        await ben.close()


async def test_a_store_that_is_full_is_not_healthy(start: Start) -> None:
    async with start() as server:

        @server.wire.on("fill")
        async def fill(ctx: Context, data: dict[str, Any]) -> None:
            db = await ctx.db()
            db.execute("PRAGMA max_page_count = 1")

        @server.wire.on("tell")
        async def tell(ctx: Context, data: dict[str, Any]) -> None:
            ctx.publish(ctx.user, "told", {"text": "x" * 60_000})

        ada = await server.connect("ada")
        await ada.hello()
        assert await server.wire.is_healthy()
        await ada.send("fill", seq=1)
        await ada.acknowledged(1)
        await ada.send("tell", seq=2)
        assert await ada.closed() == 1013
        assert not await server.wire.is_healthy()


async def test_a_handler_that_is_cancelled_after_its_end_stops_nobody(start: Start) -> None:
    async with start() as server:
        tasks: list[asyncio.Task[Any]] = []

        @server.wire.on("keep")
        async def keep(ctx: Context, data: dict[str, Any]) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("keep", seq=1)
        await ada.acknowledged(1)
        tasks[0].cancel()
        await ada.send("note", {"text": "next"}, seq=2)
        await ada.acknowledged(2)
        assert await server.wire.is_healthy()
        await ada.close()


async def test_what_a_handler_has_started_and_not_waited_for_is_told_that_it_is_too_late(start: Start) -> None:
    async with start() as server:
        has_ended, is_done = asyncio.Event(), asyncio.Event()
        refused: list[Any] = []
        running: list[asyncio.Task[None]] = []

        async def later(ctx: Context, kept: Any) -> None:
            await has_ended.wait()

            async def run(act: Callable[[], Any]) -> None:
                outcome = act()
                if asyncio.iscoroutine(outcome):
                    await outcome

            for act in (
                lambda: ctx.publish("ada", "late", {}),
                lambda: ctx.tell("ada", "late", {}),
                lambda: ctx.answer("late", {}),
                lambda: ctx.after_commit(lambda: None),
                lambda: ctx.join("r1"),
                lambda: ctx.publish_to_room("r1", "late", {}),
                lambda: ctx.tell_room("r1", "late", {}),
                ctx.db,
                lambda: kept.execute("CREATE TABLE late (id)"),
                lambda: kept.cursor(),
            ):
                with pytest.raises(TransactionMisuseError, match="after the handler had ended"):
                    await run(act)
                refused.append(act)
            is_done.set()

        @server.wire.on("start")
        async def start_something(ctx: Context, data: dict[str, Any]) -> None:
            running.append(asyncio.create_task(later(ctx, await ctx.db())))

        @server.wire.on("wait")
        async def wait(ctx: Context, data: dict[str, Any]) -> None:
            await ctx.db()
            has_ended.set()
            await is_done.wait()

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("start", seq=1)
        await ada.acknowledged(1)
        await ada.send("wait", seq=2)
        await asyncio.wait_for(running[0], 5)
        await ada.acknowledged(2)
        assert len(refused) == 10
        await ada.close()


async def test_a_server_that_no_longer_processes_says_so_and_closes_its_connections(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start() as server:
        ada = await server.connect("ada")
        await ada.hello()
        for task in asyncio.all_tasks():
            if "Writer.run" in str(task.get_coro()):
                task.cancel()
        assert await ada.closed() == 1011
        assert not await server.wire.is_healthy()
        assert "stopped processing" in caplog.text


def commit(db: sqlite3.Connection) -> None:
    db.commit()


def roll_back(db: sqlite3.Connection) -> None:
    db.rollback()


def run_script(db: sqlite3.Connection) -> None:
    db.executescript("SELECT 1")


def close(db: sqlite3.Connection) -> None:
    db.close()


def say_commit(db: sqlite3.Connection) -> None:
    db.execute(" commit;")


def say_end_by_a_cursor(db: sqlite3.Connection) -> None:
    db.cursor().execute("END TRANSACTION")


def say_rollback(db: sqlite3.Connection) -> None:
    db.execute("Rollback Transaction")


def say_commit_behind_a_comment(db: sqlite3.Connection) -> None:
    db.execute("-- it's done\n/* so */ COMMIT")


ENDINGS = [
    commit,
    roll_back,
    run_script,
    close,
    say_commit,
    say_end_by_a_cursor,
    say_rollback,
    say_commit_behind_a_comment,
]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_handler_cannot_end_the_transaction_that_others_are_in(
    start: Start, caplog: pytest.LogCaptureFixture, ending: Callable[[sqlite3.Connection], None]
) -> None:
    async with start() as server:

        @server.wire.on("end")
        async def end(ctx: Context, data: dict[str, Any]) -> None:
            ending(await ctx.db())

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("note", {"text": "before"}, seq=1)
        await ada.send("end", seq=2)
        await ada.send("note", {"text": "after"}, seq=3)
        came = await ada.acknowledged(3) + await ada.settle()
        assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
        assert [frame["data"]["text"] for frame in came if frame["type"] == "noted"] == ["before", "after"]
        assert "is not for handlers" in caplog.text
        await ada.close()


@pytest.mark.parametrize("goes_on", [False, True])
async def test_content_for_which_sqlite_rolls_everything_back_is_refused_alone(
    start: Start, tmp_path: Path, goes_on: bool
) -> None:
    async with start() as server:

        @server.wire.on("twice")
        async def twice(ctx: Context, data: dict[str, Any]) -> None:
            db: sqlite3.Connection = await ctx.db()
            db.execute("CREATE TABLE IF NOT EXISTS once (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK)")
            db.execute("INSERT INTO once VALUES (1)")
            try:
                db.execute("INSERT INTO once VALUES (1)")
            except sqlite3.IntegrityError:
                if not goes_on:
                    raise
            with suppress(sqlite3.ProgrammingError):
                db.execute("CREATE TABLE beside (id)")
            ctx.publish(ctx.user, "done", {})

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("note", {"text": "before"}, seq=1)
        await ada.send("twice", seq=2)
        await ada.send("note", {"text": "after"}, seq=3)
        came = await ada.acknowledged(3) + await ada.settle()
        assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
        assert [frame["data"].get("text") for frame in came if "stream" in frame] == ["before", "after"]
        with sqlite3.connect(tmp_path / "everwire.db") as db:
            assert db.execute("SELECT name FROM sqlite_schema WHERE name IN ('once', 'beside')").fetchall() == []
        await ada.close()


async def test_a_block_of_the_connection_is_undone_alone(start: Start, tmp_path: Path) -> None:
    async with start() as server:

        @server.wire.on("blocks")
        async def blocks(ctx: Context, data: dict[str, Any]) -> None:
            db: sqlite3.Connection = await ctx.db()
            db.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
            with db:
                db.execute("INSERT INTO words VALUES ('kept')")
            try:
                with db:
                    db.execute("INSERT INTO words VALUES ('undone')")
                    raise LookupError
            except LookupError:
                db.execute("INSERT INTO words VALUES ('after')")
            ctx.publish(ctx.user, "done", {})

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("blocks", seq=1)
        came = await ada.acknowledged(1) + await ada.settle()
        assert [frame["type"] for frame in came] == ["done"]
        with sqlite3.connect(tmp_path / "everwire.db") as db:
            assert db.execute("SELECT word FROM words").fetchall() == [("kept",), ("after",)]
        await ada.close()


@pytest.mark.parametrize("user", [uuid.UUID(int=1), 5, None, "", "\ud800", "a\0b", "é" * 65])
async def test_an_event_for_what_is_no_user_is_refused_to_who_publishes_it(start: Start, user: Any) -> None:
    async with start() as server:

        @server.wire.on("publish")
        async def publish(ctx: Context, payload: dict[str, Any]) -> None:
            ctx.publish(user, "noted", {})

        await refuses_alone(server, "publish")
        with pytest.raises(ValueError, match="a user is named by a string"):
            server.wire.tell(user, "noted", {})
        with pytest.raises(ValueError, match="a user is named by a string"):
            await server.wire.publish(user, "noted", {})


@pytest.mark.parametrize("words", [("\ud800", None), ("odd", "\ud800")])
async def test_a_refusal_that_cannot_be_sent_is_internal_and_costs_nobody_else_anything(
    start: Start, words: tuple[str, str | None]
) -> None:
    async with start() as server:

        @server.wire.on("refuse")
        async def refuse(ctx: Context, data: dict[str, Any]) -> None:
            raise Refuse(*words)

        await refuses_alone(server, "refuse")


@pytest.mark.usefixtures("unlucky")
async def test_what_fails_behind_a_handler_refuses_its_message_alone(start: Start) -> None:
    async with start() as server:
        ada, ben = await server.connect("ada"), await server.connect("ben")
        await ada.hello()
        await ben.hello()
        await ada.send("note", {"text": "unlucky"}, seq=1)
        await ben.send("note", {"text": "lucky"}, seq=1)
        for user, expected in ((ada, ["error"]), (ben, ["noted"])):
            came = await user.acknowledged(1) + await user.settle()
            assert [frame["type"] for frame in came] == expected
            await user.close()


async def test_an_authentication_that_fails_or_hangs_closes_with_1011_and_logs_no_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def authenticate(connection: HTTPConnection) -> Identity:
        if connection.query_params["token"] == "hang":
            await asyncio.sleep(60)
        raise LookupError("secret words")

    tokens = Tokens("a secret that is long enough for what it has to do here")
    store = SqliteStore(tmp_path / "everwire.db", durable=False)
    wire = Everwire(store=store, authenticate=authenticate, limits=Limits(handler_timeout_s=0.2))
    async with running(Starlette(routes=[wire.route()], lifespan=wire.lifespan), wire, tokens) as server:
        for token in ("fail", "hang"):
            ada = await server.connect("ada", token)
            assert await ada.closed() == 1011
    assert "authenticate failed: LookupError" in caplog.text
    assert "secret words" not in caplog.text


@pytest.mark.parametrize("user", ["", "x" * 129, "a\0b", "\ud800", 5, None])
async def test_a_user_that_nothing_can_be_stored_for_is_refused_as_a_token_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, user: Any
) -> None:
    tokens = Tokens("a secret that is long enough for what it has to do here")
    store = SqliteStore(tmp_path / "everwire.db", durable=False)
    wire = Everwire(store=store, authenticate=lambda _: Identity(user, math.inf))
    async with running(Starlette(routes=[wire.route()], lifespan=wire.lifespan), wire, tokens) as server:
        ada = await server.connect("ada")
        assert await ada.closed() == 1008
        with pytest.raises(ValueError, match="a user is named by"):
            await wire.handle(user, "note", {})
    assert "authenticate found nobody: a user is named by" in caplog.text


@pytest.mark.parametrize("greeting", [LookupError("secret words"), {"a": {1}}, "hello"])
async def test_a_greeting_that_cannot_be_made_closes_with_1011_and_logs_no_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, greeting: Any
) -> None:
    def on_connect(user: str) -> Any:
        if isinstance(greeting, Exception):
            raise greeting
        return greeting

    tokens = Tokens("a secret that is long enough for what it has to do here")
    store = SqliteStore(tmp_path / "everwire.db", durable=False)
    wire = Everwire(store=store, tokens=tokens, on_connect=on_connect)
    async with running(Starlette(routes=[wire.route()], lifespan=wire.lifespan), wire, tokens) as server:
        ada = await server.connect("ada")
        assert await ada.closed() == 1011
    assert "on_connect failed" in caplog.text
    assert "secret words" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_server_begins_again_in_another_event_loop(tmp_path: Path) -> None:
    tokens = Tokens("a secret that is long enough for what it has to do here")
    wire = Everwire(store=SqliteStore(tmp_path / "everwire.db", durable=False), tokens=tokens)

    @wire.on("note")
    async def note(ctx: Context, data: dict[str, Any]) -> None:
        await ctx.db()

    async def one_life() -> None:
        app = Starlette(routes=[wire.route()], lifespan=wire.lifespan)
        async with running(app, wire, tokens) as server:
            clients = [await server.connect(user) for user in ("ada", "ben")]
            for client in clients:
                await client.hello()
            for client in clients:
                await client.send("note", seq=1)
            for client in clients:
                await client.acknowledged(1)
            for client in clients:
                await client.close()

    for _ in range(3):
        asyncio.run(one_life())


async def test_a_store_closes_behind_a_commit_whose_task_was_cancelled(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "everwire.db", durable=False)
    await store.open(Limits())
    has_begun, has_ended = threading.Event(), threading.Event()

    def commit() -> None:
        has_begun.set()
        time.sleep(0.1)
        assert store._writer is not None
        sqlite3.Connection.execute(store._writer, "SELECT 1")
        has_ended.set()

    committing = asyncio.create_task(store._in_thread(commit))
    await asyncio.to_thread(has_begun.wait)
    committing.cancel()
    await asyncio.wait([committing])
    assert not has_ended.is_set()
    await store.close()
    assert has_ended.is_set()


async def test_text_that_is_no_utf_8_closes_with_1007_and_logs_no_traceback(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await server.connect("ada")
    await ada.socket.send(b"\xff", text=True)
    assert await ada.closed() == 1007
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "data"),
    [("welcome", {}), ("ack", {}), ("reply", {}), ("close", {}), ("", {}), ("é" * 65, {}), (None, {}), ("x", [1])],
)
async def test_an_event_that_no_client_could_take_is_refused_to_who_publishes_it(
    start: Start, kind: Any, data: Any
) -> None:
    async with start() as server:

        @server.wire.on("publish")
        async def publish(ctx: Context, payload: dict[str, Any]) -> None:
            ctx.publish(ctx.user, kind, data)

        await refuses_alone(server, "publish")
        with pytest.raises(ValueError, match="event"):
            server.wire.tell("ada", kind, data)
        with pytest.raises(ValueError, match="event"):
            await server.wire.publish_to_room("nobody is here", kind, data)
        with pytest.raises(ValueError, match="event"):
            await server.wire.publish("ada", kind, data)


async def test_an_event_beyond_event_bytes_is_refused_by_its_bytes(start: Start) -> None:
    async with start(Limits(messages_per_minute=0, event_bytes=1000)) as server:
        await server.wire.publish("ada", "news", {"text": "x" * 900})
        await server.wire.publish("ada", "news", {"text": "字" * 300})
        with pytest.raises(ValueError, match=r"an event of 12\d\d bytes is more than event_bytes \(1000\)"):
            await server.wire.publish("ada", "news", {"text": "字" * 400})
