"""A server of python-socketio with the reliable mode, for the same tests as `reliable.ts`."""

import argparse
import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from math import inf
from typing import Any

import socketio
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from everwire import Context, Everwire, Identity, Limits, SqliteStore, Tokens
from everwire.dev import dev_routes
from everwire.masterx import MasterX
from everwire.over_socketio import OverSocketIo

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--database", required=True)
flags = parser.parse_args()

tokens = Tokens("known to everyone")
wire = Everwire(store=SqliteStore(flags.database), tokens=tokens, limits=Limits(messages_per_minute=0))
MasterX(wire, tokens)


class Note(BaseModel):
    n: int


@wire.on("note")
async def note(ctx: Context, sent: Note) -> None:
    db = await ctx.db()
    db.execute("INSERT INTO notes (user_id, n) VALUES (?, ?)", (ctx.user, sent.n))
    ctx.publish(ctx.user, "noted", {"n": sent.n})


io = socketio.AsyncServer(async_mode="asgi", ping_interval=1, ping_timeout=1)
reliable = OverSocketIo(io, wire)


@io.event  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
    # Stands for a token: the user says who they are.
    reliable.connected(sid, Identity(auth["token"], inf))


@io.event  # type: ignore[untyped-decorator]
async def disconnect(sid: str, reason: str) -> None:
    reliable.disconnected(sid)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with closing(sqlite3.connect(flags.database)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, user_id TEXT, n INTEGER)")
    async with wire.lifespan():
        yield


api = FastAPI(lifespan=lifespan)
api.router.routes.extend(dev_routes(wire, tokens))


@api.get("/control/push")
async def push(user: str, first: int, last: int) -> list[int]:
    for n in range(first, last + 1):
        await wire.publish(user, "notification", {"n": n})
    return []


@api.get("/control/notes")
async def notes(user: str) -> list[int]:
    with closing(sqlite3.connect(flags.database)) as db:
        rows = db.execute("SELECT n FROM notes WHERE user_id = ? ORDER BY id", (user,)).fetchall()
    return [row[0] for row in rows]


async def main() -> None:
    app = socketio.ASGIApp(io, other_asgi_app=api)
    web = uvicorn.Server(uvicorn.Config(app, port=flags.port, log_level="warning"))
    serving = asyncio.create_task(web.serve())
    while not web.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    if web.started:
        print(f"ready http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await serving


asyncio.run(main())
