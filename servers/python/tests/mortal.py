"""A server process for the tests that kill it: `python -m tests.mortal DATABASE PORT`."""

import sqlite3
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette

from everwire import Context, Everwire, Limits, SqliteStore, Tokens
from everwire.dev import dev_routes

from .conftest import SECRET


def main() -> None:
    database, port = sys.argv[1], int(sys.argv[2])
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE IF NOT EXISTS processed (id INTEGER PRIMARY KEY, user_id TEXT, n INTEGER)")
    db.close()
    tokens = Tokens(SECRET)
    wire = Everwire(store=SqliteStore(database), tokens=tokens, limits=Limits(messages_per_minute=0))

    @wire.on("count")
    async def count(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
        (await ctx.db()).execute("INSERT INTO processed (user_id, n) VALUES (?, ?)", (ctx.user, data["n"]))
        ctx.publish("ben", "counted", {"n": data["n"]})
        return {"n": data["n"]}

    app = Starlette(routes=[wire.route(), *dev_routes(wire, tokens)], lifespan=wire.lifespan)
    uvicorn.run(app, port=port, log_level="error", **wire.uvicorn_options())


if __name__ == "__main__":
    main()
