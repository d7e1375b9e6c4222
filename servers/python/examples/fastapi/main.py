"""A chat with a tutor. Run it: `JWT_SECRET_KEY=… python main.py`, and open http://127.0.0.1:8000/."""

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from everwire import Everwire, Limits, SqliteStore, Tokens
from everwire.dev import dev_routes
from everwire.masterx import MasterX

tokens = Tokens(os.environ.get("JWT_SECRET_KEY", "for development only, 32 bytes or more"))
wire = Everwire(
    store=SqliteStore(os.environ.get("EVERWIRE_DATABASE", "everwire.db")),
    tokens=tokens,
    limits=Limits(messages_per_minute=int(os.environ.get("WS_RATE_LIMIT_MESSAGES", "100"))),
    on_connect=lambda user: {"user_id": user},
)
masterx = MasterX(wire, tokens)
app = FastAPI(lifespan=wire.lifespan)
app.router.routes.append(wire.route())

if os.environ.get("EVERWIRE_DEV"):
    app.router.routes.extend(dev_routes(wire, tokens))

PAGE = Path(__file__).parent / "page"

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), **wire.uvicorn_options())
