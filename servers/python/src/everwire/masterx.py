"""MasterX's names over Everwire: its events, and the functions that its code calls.

    tokens = Tokens(secret)
    wire = Everwire(store=SqliteStore("masterx.db"), tokens=tokens)
    masterx = MasterX(wire, tokens)
    manager, verify_token, send_emotion_update = masterx.manager, masterx.verify_token, masterx.send_emotion_update

An endpoint of the original goes on as it is: `manager.connect` serves the connection to its end and then raises
`WebSocketDisconnect`, as `receive_json` did.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from .connection import refuse_surplus, serve
from .context import Context
from .everwire import Everwire
from .refusal import Refuse
from .roster import Roster
from .token import Identity, TokenRefused, Tokens

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


class Session(BaseModel):
    session_id: Id


class Typing(BaseModel):
    session_id: Id
    isTyping: StrictBool


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: Id
    content: str


class MessageSent(BaseModel):
    session_id: Id
    message: Message


OnMessage = Callable[[Context, MessageSent], Awaitable[None]]


class MasterX:
    def __init__(
        self, wire: Everwire, tokens: Tokens, *, on_message: OnMessage | None = None, members: bool = True
    ) -> None:
        """`on_message` runs in the transaction of each `message_sent`, before it is passed on. `members` tells who is in a session
        and who of them is there (`session_members`)."""
        self.wire = wire
        self.manager = ConnectionManager(wire, tokens)
        self._tokens = tokens
        self._on_message = on_message
        if members:
            Roster(wire)
        wire.on("join_session", joins=True)(self._join)
        wire.on("leave_session")(self._leave)
        wire.on("user_typing", per_second=10)(self._typing)
        wire.on("message_sent")(self._message)
        wire.on("echo")(_echo)

    def verify_token(self, token: str | None) -> str | None:
        """The user, or `None` if the token is missing, expired or wrong."""
        try:
            return self._tokens.check(token).user
        except TokenRefused:
            return None

    async def send_emotion_update(self, user_id: str, message_id: str, emotion_data: Mapping[str, Any]) -> None:
        """Stored: the user gets it on every device, also after an absence."""
        await self.wire.publish(user_id, "emotion_update", {"message_id": message_id, "emotion": dict(emotion_data)})

    async def handle_websocket_message(self, user_id: str, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Processes an envelope that the application has read itself, at most once, and returns the answers."""
        data = message.get("data")
        return await self.wire.handle(user_id, str(message.get("type")), data if isinstance(data, dict) else {})

    async def _join(self, ctx: Context, session: Session) -> None:
        await ctx.join(session.session_id)

    async def _leave(self, ctx: Context, session: Session) -> None:
        await ctx.leave(session.session_id)

    async def _typing(self, ctx: Context, typing: Typing) -> None:
        if not await ctx.joined(typing.session_id):
            raise Refuse("not_joined")
        data = {"user_id": ctx.user, "session_id": typing.session_id, "isTyping": typing.isTyping}
        await ctx.tell_room(typing.session_id, "typing_indicator", data)

    async def _message(self, ctx: Context, sent: MessageSent) -> None:
        if not await ctx.joined(sent.session_id):
            raise Refuse("not_joined")
        if self._on_message is not None:
            await self._on_message(ctx, sent)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # Who speaks and when is the server's to say.
        own = {"role": "user", "timestamp": now, "session_id": sent.session_id, "user_id": ctx.user}
        message = sent.message.model_dump(mode="json") | own
        await ctx.publish_to_room(sent.session_id, "message_received", {"message": message})


async def _echo(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
    if not ctx.request:
        ctx.answer("echo", data)
    return data


class ConnectionManager:
    """The original's manager. Connections look after themselves, so most of it has nothing left to do."""

    def __init__(self, wire: Everwire, tokens: Tokens) -> None:
        self._wire = wire
        self._tokens = tokens

    async def connect(self, websocket: WebSocket, user_id: str, connection_id: str | None = None) -> None:
        """Serves the connection to its end, and raises `WebSocketDisconnect` then."""
        if websocket.application_state is WebSocketState.CONNECTING:
            await websocket.accept()
        identity = Identity(user_id, self._expiry(websocket))
        if not await refuse_surplus(self._wire.engine, websocket, identity):
            await serve(self._wire.engine, websocket, identity)
        raise WebSocketDisconnect(1000)

    def _expiry(self, websocket: WebSocket) -> float:
        try:
            return self._tokens.check(websocket.query_params.get("token")).expires_at
        except TokenRefused:
            # The application has checked it by other means, and said who it is.
            return time.time() + 24 * 60 * 60

    def disconnect(self, user_id: str, connection_id: str | None = None) -> None:
        """Nothing: a connection that has ended is forgotten already."""

    async def send_personal_message(self, message: Mapping[str, Any], user_id: str) -> None:
        """Stored, for all devices of the user."""
        await self._wire.publish(user_id, str(message["type"]), message.get("data") or {})

    async def send_to_session(self, session_id: str, message: Mapping[str, Any]) -> None:
        """Stored, for all members of the session."""
        await self._wire.publish_to_room(session_id, str(message["type"]), message.get("data") or {})

    async def broadcast(self, message: Mapping[str, Any]) -> None:
        """To everyone who is connected, at most once."""
        self._wire.tell_everyone(str(message["type"]), message.get("data") or {})

    async def join_session(self, user_id: str, session_id: str) -> None:
        await self._wire.handle(user_id, "join_session", {"session_id": session_id})

    async def leave_session(self, user_id: str, session_id: str) -> None:
        await self._wire.handle(user_id, "leave_session", {"session_id": session_id})

    def is_connected(self, user_id: str) -> bool:
        return self._wire.is_connected(user_id)
