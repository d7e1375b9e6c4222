"""Control endpoints for tests, with the paths of the reference server. They give a token to anyone: never in production."""

import json
import sqlite3
from collections import deque
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .envelope import Frame
from .everwire import Everwire
from .peer import Peer
from .store import StoreError, Transaction
from .token import Tokens


def dev_routes(wire: Everwire, tokens: Tokens) -> list[Route]:
    async def token(request: Request) -> JSONResponse:
        body = dict(request.query_params) if request.method == "GET" else await request.json()
        life = body.get("ttl_s")
        return JSONResponse({"token": tokens.issue(body["user_id"], life_s=None if life is None else float(life))})

    async def push(request: Request) -> JSONResponse:
        body = await request.json()
        try:
            await wire.publish(body["user_id"], body["type"], body.get("data", {}), stream=body.get("stream", "user"))
        except StoreError:
            return JSONResponse({"error": "the storage failed"}, 503)
        return JSONResponse({"delivered": len(wire.engine.connections(body["user_id"]))})

    async def forget(request: Request) -> JSONResponse:
        body = await request.json()
        user, stream = body["user_id"], body.get("stream", "user")
        upto = body.get("upto")
        if upto is None:
            oldest = await wire.store.events(user, stream, 0, body["events"])
            upto = oldest[-1].offset if oldest else 0
        forgotten = await wire.store.forget(user, stream, upto)
        return JSONResponse({"forgotten": forgotten, "upto": upto})

    async def connections(request: Request) -> JSONResponse:
        user = request.query_params.get("user_id")
        peers = wire.engine.connections(user) if user else wire.engine.peers
        return JSONResponse({"open": len(peers)})

    return [
        Route("/dev/token", token, methods=["GET", "POST"]),
        Route("/dev/push", push, methods=["POST"]),
        Route("/dev/forget", forget, methods=["POST"]),
        Route("/dev/connections", connections, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class Received:
    user: str
    type: str | None
    data: Any


class Record:
    """Keeps which frames came, in memory, and which messages were processed, in the database."""

    def __init__(self, wire: Everwire, *, frames: int = 20_000) -> None:
        self._wire = wire
        self._frames: deque[Received] = deque(maxlen=frames)
        self._has_table = False
        wire.engine.observer = self

    def received(self, peer: Peer, frame: Frame, text: str) -> None:
        readable = frame.problem is None
        self._frames.append(Received(peer.user, frame.type if readable else None, frame.data if readable else text))

    async def processed(self, tx: Transaction, peer: Peer, frame: Frame, code: str | None) -> None:
        if frame.seq:
            row = (peer.user, peer.client_id, frame.seq, frame.type or "", json.dumps(frame.data), code)
            await self._make_table(tx)
            await _execute(tx, _INSERT, *row)

    async def prepare(self) -> None:
        """Makes the table, so that it need not be looked for with every message; the store must be open."""
        async with self._wire.store.transaction() as tx:
            await self._make_table(tx)
        self._has_table = True

    async def _make_table(self, tx: Transaction) -> None:
        if not self._has_table:
            identity = "INTEGER PRIMARY KEY" if isinstance(tx.native, sqlite3.Connection) else "SERIAL PRIMARY KEY"
            await _execute(tx, _TABLE.format(identity))

    def routes(self) -> list[Route]:
        async def received(request: Request) -> JSONResponse:
            user, kind = request.query_params.get("user_id"), request.query_params.get("type")
            chosen = [f for f in self._frames if user in (None, f.user) and kind in (None, f.type)]
            return JSONResponse([{"type": frame.type, "data": frame.data} for frame in chosen])

        async def processed(request: Request) -> JSONResponse:
            async with self._wire.store.transaction() as tx:
                await self._make_table(tx)
                rows = await _execute(tx, _SELECT, request.query_params["user_id"])
            return JSONResponse([_message(row) for row in rows])

        return [
            Route("/dev/received", received, methods=["GET"]),
            Route("/dev/processed", processed, methods=["GET"]),
        ]


def _message(row: Any) -> dict[str, Any]:
    client_id, seq, kind, data, refused = row
    message = {"client_id": client_id, "seq": seq, "type": kind, "data": json.loads(data)}
    return message if refused is None else message | {"refused": refused}


async def _execute(tx: Transaction, statement: str, *values: object) -> list[Any]:
    if isinstance(tx.native, sqlite3.Connection):
        return tx.native.execute(statement.replace("$", "?"), values).fetchall()
    return list(await tx.native.fetch(statement, *values))


_TABLE = (
    "CREATE TABLE IF NOT EXISTS dev_processed (id {}, user_id TEXT, client_id TEXT, seq BIGINT, type TEXT, data TEXT,"
    " refused TEXT)"
)
_INSERT = "INSERT INTO dev_processed (user_id, client_id, seq, type, data, refused) VALUES ($1, $2, $3, $4, $5, $6)"
_SELECT = "SELECT client_id, seq, type, data, refused FROM dev_processed WHERE user_id = $1 ORDER BY id"
