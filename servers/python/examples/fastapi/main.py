"""A chat with a tutor over FastAPI. See README.md beside this file."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from everwire import Context, Everwire, SqliteStore, from_environment
from everwire.dev import dev_routes
from everwire.masterx import MasterX, MessageSent

DEVELOPMENT = (
    {"JWT_SECRET_KEY": "for development only, and known to everyone"} if os.environ.get("EVERWIRE_DEV") else {}
)
environment = from_environment({**DEVELOPMENT, **os.environ})
tokens = environment.tokens
store = SqliteStore(os.environ.get("EVERWIRE_DATABASE", "everwire.db"))
wire = Everwire(
    store=store,
    tokens=tokens,
    limits=environment.limits,
    allow_origins=environment.allow_origins,
    on_connect=lambda user: {"user_id": user},
)


async def on_message(ctx: Context, sent: MessageSent) -> None:
    """In the transaction of each `message_sent`: what is written here is written once, however often the message comes."""
    db = await ctx.db()
    db.execute("CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, session_id TEXT, user_id TEXT, content TEXT)")
    row = (sent.message.id, sent.session_id, ctx.user, sent.message.content)
    db.execute("INSERT INTO messages VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    # The analysis is slow and belongs behind the commit; what it finds is an event of its own.
    ctx.after_commit(lambda: masterx.send_emotion_update(ctx.user, sent.message.id, feel(sent.message.content)))


masterx = MasterX(wire, tokens, on_message=on_message)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with wire.lifespan():
        yield


app = FastAPI(title="A chat with a tutor", lifespan=lifespan)
app.router.routes.append(wire.route("/api/ws"))


User = Annotated[str, Depends(wire.user)]


class ChatRequest(BaseModel):
    message: str = Field(min_length=1, max_length=4000)
    session_id: str = Field(min_length=1, max_length=128)


class ChatResponse(BaseModel):
    message_id: str
    answer: str
    emotion: dict[str, Any]


@app.post("/api/v1/chat")
async def chat(body: ChatRequest, user: User) -> ChatResponse:
    """Answers over HTTP, and tells the user's devices how the message felt. It answers also if that cannot be told."""
    message_id = str(uuid4())
    emotion = feel(body.message)
    try:
        await masterx.send_emotion_update(user, message_id, emotion)
    except Exception as error:
        app.state.failed_pushes = getattr(app.state, "failed_pushes", 0) + 1
        print(f"emotion_update was not stored: {type(error).__name__}")
    return ChatResponse(message_id=message_id, answer=f"You said: {body.message}", emotion=emotion)


@app.post("/api/v1/login")
async def login(body: dict[str, str]) -> dict[str, str]:
    """Stands for a real login: it gives a token to anyone, and so is there in development only."""
    if not DEVELOPMENT:
        raise HTTPException(404)
    return {"token": tokens.issue(body["user_id"])}


@app.get("/health")
async def health() -> dict[str, Any]:
    if not await wire.is_healthy():
        raise HTTPException(503, "not healthy")
    return {"status": "ok", "websocket": "enabled", "connections": len(wire.engine.peers)}


WORDS = {
    "excited": ("excitement", 0.9),
    "great": ("joy", 0.7),
    "stuck": ("frustration", 0.7),
    "confused": ("confusion", 0.8),
}


def feel(text: str) -> dict[str, Any]:
    """Stands for the analysis: a list of words."""
    found = (WORDS[word] for word in WORDS if word in text.lower())
    emotion, intensity = next(found, ("neutral", 0.1))
    pad = {"pleasure": 0.0, "arousal": intensity, "dominance": 0.0}
    return {"primary_emotion": emotion, "intensity": intensity, "pad_values": pad}


if DEVELOPMENT:
    app.router.routes.extend(dev_routes(wire, tokens))

app.mount("/", StaticFiles(directory=Path(__file__).parent / "page", html=True))

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), **wire.uvicorn_options())
