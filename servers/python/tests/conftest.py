import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette

from everwire import Context, Everwire, Limits, Refuse, SqliteStore, Tokens
from everwire.dev import dev_routes
from everwire.masterx import MasterX
from everwire.store import NewEvent
from everwire.store.sqlite import SqliteTransaction
from everwire.testing import Running, running

from .postgres import Cluster, binaries
from .redis_server import RedisServer

pytest_plugins = ["everwire.testing.fixtures"]

SECRET = "the secret of the server, which is long enough for every algorithm there is"

Start = Callable[..., AbstractAsyncContextManager[Running]]


class Note(BaseModel):
    text: str


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a server with MasterX's events and some of the tests' own; again on the same file if it is called again."""

    @asynccontextmanager
    async def start(limits: Limits | None = None, **options: Any) -> AsyncIterator[Running]:
        tokens = Tokens(SECRET)
        members = options.pop("members", False)
        wire = Everwire(
            store=options.pop("store", None) or SqliteStore(tmp_path / "everwire.db", durable=False),
            tokens=tokens,
            limits=limits or Limits(messages_per_minute=0),
            **options,
        )
        MasterX(wire, tokens, members=members)
        add_handlers(wire)
        app = Starlette(routes=[wire.route(), *dev_routes(wire, tokens)], lifespan=wire.lifespan)
        async with running(app, wire, tokens) as server:
            yield server

    return start


def add_handlers(wire: Everwire) -> None:
    @wire.on("note")
    async def note(ctx: Context, note: Note) -> dict[str, Any]:
        db = await ctx.db()
        db.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL)")
        db.execute("INSERT INTO notes (text) VALUES (?)", (note.text,))
        ctx.publish(ctx.user, "noted", {"text": note.text})
        if note.text == "refused":
            raise Refuse("not_allowed")
        if note.text == "broken":
            raise RuntimeError("secret words of a payload")
        return {"text": note.text}

    @wire.on("push")
    async def push(ctx: Context, data: dict[str, Any]) -> None:
        ctx.publish(data["user"], "pushed", data)


@pytest.fixture
async def server(start: Start) -> AsyncIterator[Running]:
    async with start() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    found = binaries()
    if found is None:
        pytest.fail("PostgreSQL is not installed (Debian: postgresql)")
    cluster = Cluster(found)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def database(postgres: Cluster) -> str:
    """The URL of an empty PostgreSQL database."""
    name = f"test_{secrets.token_hex(6)}"
    await postgres.create(name)
    return postgres.url(name)


@pytest.fixture
def unlucky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that has an event with this word in it fails behind the handlers."""
    append = SqliteTransaction.append

    async def fail(tx: SqliteTransaction, events: Sequence[NewEvent], now: int) -> list[int | None]:
        if any("unlucky" in event.frame for event in events):
            raise LookupError
        return await append(tx, events, now)

    monkeypatch.setattr(SqliteTransaction, "append", fail)
