"""The library under the flags and control endpoints of the reference server, so that the reference server's suites run at it::

    python tests/reference.py --dev --port 0 --database FILE-OR-URL

It prints `ready http://HOST:PORT/` once it listens. A flag that it does not know is an error: what a suite tests with it does not
apply.
"""

import argparse
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from everwire import Everwire, Limits, SqliteStore, Store, StoreError, Tokens
from everwire.bus import Bus
from everwire.dev import Record, dev_routes
from everwire.masterx import MasterX


def main() -> None:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="everwire-") as scratch:
        serve(options, store(options, Path(scratch)))


def parser() -> argparse.ArgumentParser:
    usual = Limits()
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--dev", action="store_true", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database", help="an SQLite file, or the URL of a PostgreSQL database")
    parser.add_argument("--epoch", type=int)
    parser.add_argument("--redis", help="the URL of a Redis that wakes other nodes and knows who is online")
    parser.add_argument("--node", default="node")
    parser.add_argument("--secret")
    parser.add_argument("--audience")
    parser.add_argument("--allow-origin", action="append")
    parser.add_argument("--rate-limit-per-minute", type=int, default=usual.messages_per_minute)
    parser.add_argument("--max-message-bytes", type=int, default=usual.max_message_bytes)
    parser.add_argument("--idle-timeout-s", type=float, default=usual.idle_timeout_s)
    parser.add_argument("--send-timeout-s", type=float, default=usual.send_timeout_s)
    parser.add_argument("--max-connections", type=int, default=usual.connections)
    parser.add_argument("--max-connections-per-user", type=int, default=usual.connections_per_user)
    parser.add_argument("--queue-frames", type=int, default=usual.queue_frames)
    parser.add_argument("--queue-bytes", type=int, default=usual.queue_bytes)
    parser.add_argument("--history-events", type=int, default=usual.history_events)
    parser.add_argument("--record-frames", type=int, default=20_000)
    return parser


def store(options: argparse.Namespace, scratch: Path) -> Store:
    if options.database and options.database.startswith(("postgres:", "postgresql:")):
        from everwire.store.postgres import PostgresStore

        return PostgresStore(options.database, epoch=options.epoch, notify=options.redis is None)
    return SqliteStore(
        options.database or scratch / "everwire.db",
        epoch=options.epoch,
        # What ends with the process need not wait for the disk.
        durable=options.database is not None,
        busy_timeout_s=10.0,
    )


def bus(options: argparse.Namespace) -> Bus | None:
    if options.redis is None:
        return None
    from everwire.bus.redis import RedisBus

    return RedisBus(options.redis, node=options.node)


def serve(options: argparse.Namespace, store: Store) -> None:
    tokens = Tokens(options.secret or secrets.token_hex(32), audience=options.audience)
    limits = Limits(
        max_message_bytes=options.max_message_bytes,
        messages_per_minute=options.rate_limit_per_minute,
        idle_timeout_s=options.idle_timeout_s,
        send_timeout_s=options.send_timeout_s,
        connections=options.max_connections,
        connections_per_user=options.max_connections_per_user,
        queue_frames=options.queue_frames,
        queue_bytes=options.queue_bytes,
        history_events=options.history_events,
        event_bytes=2 * 1024 * 1024,
    )
    wire = Everwire(
        store=store,
        tokens=tokens,
        limits=limits,
        allow_origins=options.allow_origin,
        on_connect=lambda user: {"user_id": user},
        bus=bus(options),
    )
    MasterX(wire, tokens)
    record = Record(wire, frames=options.record_frames)
    listener = socket.create_server((options.host, options.port), backlog=1024)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with wire.lifespan():
            # A database that is away at the start has the table later.
            with suppress(StoreError):
                await record.prepare()
            host, port = listener.getsockname()
            print(f"ready http://{host}:{port}/", flush=True)
            yield

    async def healthz(_: Request) -> PlainTextResponse:
        is_healthy = await wire.is_healthy()
        return PlainTextResponse("ok" if is_healthy else "not ok", 200 if is_healthy else 503)

    routes = [wire.route(), Route("/healthz", healthz), *dev_routes(wire, tokens), *record.routes()]
    app = Starlette(routes=routes, lifespan=lifespan)
    config = uvicorn.Config(app, log_level="warning", **wire.uvicorn_options())
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
