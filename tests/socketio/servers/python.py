"""A server of python-socketio for the scenarios, with the same handlers and controls as `node.ts`."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import socketio
import uvicorn
from fastapi import FastAPI

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--ledger", type=Path, required=True)
parser.add_argument("--ping-interval-ms", type=int, default=25_000)
parser.add_argument("--ping-timeout-ms", type=int, default=20_000)
flags = parser.parse_args()

io = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins="*",
    ping_interval=flags.ping_interval_ms / 1000,
    ping_timeout=flags.ping_timeout_ms / 1000,
)
api = FastAPI()
users: dict[str, str] = {}
# What clients name their events by that they may send again.
repetitions: set[str | None] = set()


def add(user: str, event: str, n: int) -> None:
    with flags.ledger.open("a") as ledger:
        ledger.write(json.dumps({"user": user, "event": event, "n": n}) + "\n")


class Namespace(socketio.AsyncNamespace):
    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        auth = auth if isinstance(auth, dict) else {}
        user = auth.get("user")
        if self.namespace == "/closed":
            raise socketio.exceptions.ConnectionRefusedError("closed", {"code": "closed"})
        if auth.get("token") == "wrong":
            raise socketio.exceptions.ConnectionRefusedError("Invalid authentication token", {"code": "unauthorized"})
        if not isinstance(user, str):
            raise socketio.exceptions.ConnectionRefusedError("Missing authentication token", {"code": "unauthorized"})
        users[sid] = user
        await self.enter_room(sid, user)
        add(user, f"connect {self.namespace}", auth.get("attempt", 0))

    async def on_disconnect(self, sid: str, reason: str) -> None:
        users.pop(sid, None)

    async def on_join(self, sid: str, n: int) -> int:
        add(users[sid], "join", n)
        return n

    async def on_note(self, sid: str, n: int, repetition: str | None = None) -> int:
        if repetition is None or repetition not in repetitions:
            add(users[sid], "note", n)
            repetitions.add(repetition)
        return n

    async def on_late(self, sid: str, n: int, ms: int) -> int:
        add(users[sid], "late", n)
        await asyncio.sleep(ms / 1000)
        return n

    async def on_binary(self, sid: str, n: int, whole: bytes, parts: dict[str, Any]) -> tuple[Any, ...]:
        add(users[sid], "binary", n)
        await self.emit("binary", (n, whole, parts), to=sid)
        return n, whole, parts


for name in ("/", "/admin", "/closed"):
    io.register_namespace(Namespace(name))


@api.post("/control/{name}")
async def control(name: str, question: dict[str, Any]) -> Any:
    user, namespace = question["user"], question.get("namespace", "/")
    first = question.get("first", 1)
    sids = [sid for sid, _ in io.manager.get_participants(namespace, user)]
    match name:
        case "received":
            lines = flags.ledger.read_text().splitlines() if flags.ledger.exists() else []
            return [entry for entry in map(json.loads, lines) if entry["user"] == user]
        case "push":
            padding = "x" * question.get("bytes", 0)
            for n in range(first, question.get("last", first) + 1):
                await io.emit("number", (n, padding), to=user, namespace=namespace)
        case "kick":
            for sid in sids:
                await io.disconnect(sid, namespace=namespace)
        case "cut":
            for sid in sids:
                await io.eio.disconnect(io.manager.eio_sid_from_sid(sid, namespace))
            return {"cut": len(sids)}
        case "ask":
            return {
                "answers": [await io.call("question", first, to=sid, namespace=namespace, timeout=5) for sid in sids]
            }
        case "connections":
            return {"open": len(sids)}
    return {}


async def main() -> None:
    app = socketio.ASGIApp(io, other_asgi_app=api)
    web = uvicorn.Server(
        uvicorn.Config(
            app, port=flags.port, log_level="warning", ws_per_message_deflate=False, timeout_graceful_shutdown=1
        )
    )
    serving = asyncio.create_task(web.serve())
    while not web.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    if web.started:
        print(f"ready http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await serving


asyncio.run(main())
