"""A server process for the tests that kill it: `python -m tests.mortal DATABASE PORT [REDIS]`."""

import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette

from everwire import Context, Everwire, Limits, SqliteStore, Tokens
from everwire.bus.redis import RedisBus
from everwire.dev import dev_routes
from everwire.store.postgres import PostgresStore

from .conftest import SECRET


def main() -> None:
    database, port = sys.argv[1], int(sys.argv[2])
    redis = sys.argv[3] if len(sys.argv) > 3 else None
    tokens = Tokens(SECRET)
    shared = database.startswith("postgresql:")
    store = PostgresStore(database, notify=redis is None) if shared else SqliteStore(database)
    wire = Everwire(
        store=store,
        tokens=tokens,
        limits=Limits(messages_per_minute=0),
        bus=None if redis is None else RedisBus(redis),
    )

    @wire.on("count")
    async def count(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
        db = await ctx.db()
        if shared:
            await db.execute("INSERT INTO processed (user_id, n) VALUES ($1, $2)", ctx.user, data["n"])
        else:
            db.execute("INSERT INTO processed (user_id, n) VALUES (?, ?)", (ctx.user, data["n"]))
        ctx.publish("ben", "counted", {"n": data["n"]})
        return {"n": data["n"]}

    app = Starlette(routes=[wire.route(), *dev_routes(wire, tokens)], lifespan=wire.lifespan)
    uvicorn.run(app, port=port, log_level="error", **wire.uvicorn_options())


if __name__ == "__main__":
    main()
