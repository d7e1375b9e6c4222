"""What tests and the demo need, and nobody else may have."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from .events import CoLabMatch
from .store import MatchTaken, Store
from .tokens import Tokens


class TokenRequest(BaseModel):
    user_id: Annotated[str, Field(min_length=1, max_length=128)]
    ttl_s: int | None = None


class MatchRequest(BaseModel):
    match_id: Annotated[str, Field(min_length=1, max_length=128)]
    users: tuple[str, str]


class StatusRequest(BaseModel):
    match_id: str
    active: bool


class DropRequest(BaseModel):
    user_id: str
    polite: bool = False
    """Tell the client that it is disconnected, so that it stays away, instead of cutting its connection."""


def dev_routes(io: Any, namespace: CoLabMatch, store: Store, tokens: Tokens) -> APIRouter:
    routes = APIRouter(prefix="/dev")

    @routes.post("/token")
    async def token(request: TokenRequest) -> dict[str, str]:
        return {"token": tokens.issue(request.user_id, request.ttl_s)}

    @routes.post("/match")
    async def make_match(request: MatchRequest) -> dict[str, str]:
        try:
            await store.make_match(request.match_id, request.users)
        except MatchTaken:
            raise HTTPException(409, "There is a match of that id between other users") from None
        return {"match_id": request.match_id}

    @routes.post("/match/status")
    async def set_status(request: StatusRequest) -> dict[str, bool]:
        if not await store.set_active(request.match_id, request.active):
            raise HTTPException(404, "There is no such match")
        return {"active": request.active}

    @routes.post("/drop")
    async def drop(request: DropRequest) -> dict[str, int]:
        connections = namespace.presence.connections(request.user_id)
        for sid in connections:
            if request.polite:
                await io.disconnect(sid)
            else:
                await io.eio.disconnect(io.manager.eio_sid_from_sid(sid, "/"))
        return {"dropped": len(connections)}

    return routes
