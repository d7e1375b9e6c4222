"""`python -m colabmatch --dev` starts the server and prints `ready URL` when it listens."""

import argparse
import asyncio
import logging
import os
import secrets

import uvicorn

from .server import Server, Settings


def main() -> None:
    arguments = _parse()
    secret = arguments.secret or os.environ.get("JWT_SECRET_KEY") or (secrets.token_hex(32) if arguments.dev else "")
    if not secret:
        raise SystemExit("colabmatch: tokens need a secret: set JWT_SECRET_KEY, or use --dev")
    settings = Settings(
        secret=secret,
        database=arguments.database,
        dev=arguments.dev,
        origins=tuple(arguments.origin),
        www=arguments.www,
        messages_per_minute=arguments.messages_per_minute,
        typing_per_second=0 if arguments.messages_per_minute == 0 else 10,
        ping_interval_s=arguments.ping_interval_ms / 1000,
        ping_timeout_s=arguments.ping_timeout_ms / 1000,
    )
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_serve(Server(settings), arguments.host, arguments.port, PAGE if arguments.www else ""))


PAGE = "?wire=socket.io"
"""Tells the demo page which wire to speak."""


async def _serve(server: Server, host: str, port: int, page: str) -> None:
    config = uvicorn.Config(server.asgi, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
    web = uvicorn.Server(config)
    serving = asyncio.create_task(web.serve())
    while not web.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    if web.started:
        bound = web.servers[0].sockets[0].getsockname()[1]
        print(f"ready http://{host}:{bound}/{page}", flush=True)
    await serving


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="colabmatch", description="CoLabMatch's chat server, over Socket.IO.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8788, help="0 takes a free one")
    parser.add_argument(
        "--database", default=":memory:", help="an SQLite file; without it nothing outlives the process"
    )
    parser.add_argument("--secret", help="signs tokens; better in JWT_SECRET_KEY, which nobody else sees")
    parser.add_argument(
        "--origin", action="append", default=[], help="pages of this origin may connect; may be repeated"
    )
    parser.add_argument("--www", metavar="DIR", help="serve a built page, such as that of the demo")
    parser.add_argument("--dev", action="store_true", help="tokens for anyone at /dev/token, and pages of any origin")
    parser.add_argument("--messages-per-minute", type=int, default=30, help="of one user; 0 switches all limits off")
    parser.add_argument("--ping-interval-ms", type=int, default=25_000)
    parser.add_argument("--ping-timeout-ms", type=int, default=20_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
