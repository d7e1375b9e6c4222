"""Control endpoints for tests, with the paths of the reference server. They give a token to anyone: never in production."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .everwire import Everwire
from .token import Tokens


def dev_routes(wire: Everwire, tokens: Tokens) -> list[Route]:
    async def token(request: Request) -> JSONResponse:
        body = await request.json()
        return JSONResponse({"token": tokens.issue(body["user_id"], life_s=body.get("ttl_s"))})

    async def push(request: Request) -> JSONResponse:
        body = await request.json()
        await wire.publish(body["user_id"], body["type"], body.get("data", {}))
        return JSONResponse({"delivered": len(wire.engine.connections(body["user_id"]))})

    async def forget(request: Request) -> JSONResponse:
        body = await request.json()
        forgotten = await wire.store.forget(body["user_id"], body.get("stream", "user"), body["upto"])
        return JSONResponse({"forgotten": forgotten})

    async def connections(request: Request) -> JSONResponse:
        user = request.query_params.get("user_id")
        peers = wire.engine.connections(user) if user else wire.engine.peers
        return JSONResponse({"open": len(peers)})

    return [
        Route("/dev/token", token, methods=["POST"]),
        Route("/dev/push", push, methods=["POST"]),
        Route("/dev/forget", forget, methods=["POST"]),
        Route("/dev/connections", connections, methods=["GET"]),
    ]
