"""What the throughput is measured at. `note` stores a row of the application; `publish` stores an event for a neighbour too."""

import sqlite3
import sys
from contextlib import closing

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette

from everwire import Context, Everwire, Limits, SqliteStore, Tokens
from everwire.store.postgres import PostgresStore


class Note(BaseModel):
    n: int
    text: str


def app(database: str, secret: str) -> tuple[Starlette, Everwire]:
    shared = database.startswith("postgresql:")
    store = PostgresStore(database) if shared else SqliteStore(database)
    wire = Everwire(store=store, tokens=Tokens(secret), limits=Limits(messages_per_minute=0))

    @wire.on("note")
    async def note(ctx: Context, note: Note) -> None:
        db = await ctx.db()
        if shared:
            await db.execute("INSERT INTO notes (user_id, n, text) VALUES ($1, $2, $3)", ctx.user, note.n, note.text)
        else:
            db.execute("INSERT INTO notes (user_id, n, text) VALUES (?, ?, ?)", (ctx.user, note.n, note.text))

    @wire.on("publish")
    async def publish(ctx: Context, note: Note) -> None:
        index = int(ctx.user.removeprefix("user"))
        ctx.publish(f"user{index ^ 1}", "noted", {"n": note.n, "text": note.text})

    return Starlette(routes=[wire.route()], lifespan=wire.lifespan), wire


if __name__ == "__main__":
    database, secret, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if not database.startswith("postgresql:"):
        with closing(sqlite3.connect(database)) as made, made:
            made.execute("CREATE TABLE IF NOT EXISTS notes (user_id TEXT, n INTEGER, text TEXT)")
    application, everwire = app(database, secret)
    uvicorn.run(application, port=port, log_level="warning", loop="uvloop", **everwire.uvicorn_options())
