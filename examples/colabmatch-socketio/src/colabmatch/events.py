"""The six handlers."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import socketio
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .limits import Limit
from .presence import Presence
from .store import Match, Store
from .tokens import TokenRefused, Tokens
from .typing_timers import TypingTimers, Typist

log = logging.getLogger(__name__)

Id = Annotated[str, Field(min_length=1, max_length=128)]


class Payload(BaseModel):
    model_config = ConfigDict(strict=True)


class JoinMatch(Payload):
    match_id: Id


class SendMessage(Payload):
    match_id: Id
    content: Annotated[str, Field(min_length=1)]
    client_id: Id | None = None


class Typing(Payload):
    match_id: Id
    is_typing: bool


class ReadMessage(Payload):
    message_id: Annotated[str, Field(pattern="^[0-9]{1,18}$")]
    match_id: Id


class Refusal(Exception):
    """What a client asked for is not done; it gets an `error` with these words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


AnyPayload = TypeVar("AnyPayload", bound=Payload)
Answer = dict[str, Any]


class CoLabMatch(socketio.AsyncNamespace):
    """The namespace `/`. A handler's answer goes to whoever has sent the event with an acknowledgement."""

    def __init__(self, store: Store, tokens: Tokens, chat_limit: Limit, typing_limit: Limit, max_bytes: int) -> None:
        super().__init__("/")
        self._store = store
        self._tokens = tokens
        self._chat_limit = chat_limit
        self._typing_limit = typing_limit
        self._max_bytes = max_bytes
        self.presence = Presence()
        self._typing = TypingTimers(self._tell_stopped)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        try:
            user = self._tokens.user(auth.get("token") if isinstance(auth, dict) else None)
        except TokenRefused as refused:
            raise socketio.exceptions.ConnectionRefusedError(str(refused), {"code": "unauthorized"}) from None
        await self.save_session(sid, {"user": user})
        is_first = self.presence.came(user, sid)
        await self.emit("connected", {"user_id": user}, to=sid)
        if is_first:
            await self._tell_presence(user, True)
        log.info("%s has connected", user)

    async def on_disconnect(self, sid: str, reason: str) -> None:
        await self._typing.gone(sid)
        user = await self._user(sid)
        if user is not None and self.presence.went(user, sid):
            await self._tell_presence(user, False)
        log.info("%s has gone: %s", user, reason)

    async def on_join_match(self, sid: str, data: Any = None) -> Answer:
        return await self._answer(sid, "join_match", JoinMatch, data, self._join)

    async def on_send_message(self, sid: str, data: Any = None) -> Answer:
        return await self._answer(sid, "send_message", SendMessage, data, self._send)

    async def on_typing(self, sid: str, data: Any = None) -> Answer:
        return await self._answer(sid, "typing", Typing, data, self._type)

    async def on_read_message(self, sid: str, data: Any = None) -> Answer:
        return await self._answer(sid, "read_message", ReadMessage, data, self._read)

    async def _join(self, sid: str, user: str, request: JoinMatch) -> Answer:
        match = await self._match_of(user, request.match_id)
        await self.enter_room(sid, _room(match.id))
        partner = match.partner(user)
        status = {"user_id": partner, "online": partner is not None and self.presence.is_online(partner)}
        await self.emit("user_online_status", status, to=sid)
        return {}

    async def _send(self, sid: str, user: str, request: SendMessage) -> Answer:
        match = await self._joined(sid, user, request.match_id)
        if len(request.content.encode()) > self._max_bytes:
            raise Refusal("too_large", f"A message has at most {self._max_bytes} bytes")
        if not self._chat_limit.allows(user, time.monotonic()):
            raise Refusal("rate_limited", "Rate limit exceeded")
        await self._typing.stop((match.id, user))
        message, is_new = await self._store.add(match.id, user, request.content, request.client_id)
        await self.emit("new_message", message.event(), to=_room(match.id) if is_new else sid)
        return {"id": str(message.id)}

    async def _type(self, sid: str, user: str, request: Typing) -> Answer:
        match = await self._joined(sid, user, request.match_id)
        if not self._typing_limit.allows(user, time.monotonic()):
            raise Refusal("rate_limited", "Rate limit exceeded")
        if request.is_typing:
            self._typing.press((match.id, user), sid)
            await self._tell_typing("user_typing", (match.id, user), sid)
        else:
            await self._typing.stop((match.id, user))
        return {}

    async def _read(self, sid: str, user: str, request: ReadMessage) -> Answer:
        match = await self._joined(sid, user, request.match_id)
        read_at = await self._store.read(match.id, user, int(request.message_id))
        if read_at is not None:
            receipt = {"message_id": request.message_id, "match_id": match.id, "readAt": read_at, "up_to": True}
            await self.emit("message_read", receipt, to=_room(match.id))
        return {}

    async def _answer(
        self,
        sid: str,
        event: str,
        payload: type[AnyPayload],
        data: Any,
        handle: Callable[[str, str, AnyPayload], Awaitable[Answer]],
    ) -> Answer:
        try:
            user = await self._user(sid)
            if user is None:
                raise Refusal("not_connected", "Connect first")
            return {"ok": True, **await handle(sid, user, payload.model_validate(data))}
        except ValidationError as error:
            where = ", ".join(sorted({".".join(map(str, problem["loc"])) or "data" for problem in error.errors()}))
            refusal = Refusal("invalid", f"These do not fit: {where}")
        except Refusal as refused:
            refusal = refused
        except Exception as error:
            # A traceback would quote payloads.
            log.error("%s failed: %s", event, type(error).__name__)
            refusal = Refusal("internal", "The server has failed")
        answer = {"code": refusal.code, "message": str(refusal), "about": event}
        await self.emit("error", answer, to=sid)
        return {"ok": False, **answer}

    async def _user(self, sid: str) -> str | None:
        session: dict[str, str] = await self.get_session(sid)
        return session.get("user")

    async def _match_of(self, user: str, match_id: str) -> Match:
        match = await self._store.match(match_id)
        # Strangers are not told which matches there are.
        if match is None or match.partner(user) is None:
            raise Refusal("not_allowed", "Not a match of yours")
        if not match.active:
            raise Refusal("not_active", "This match is not active")
        return match

    async def _joined(self, sid: str, user: str, match_id: str) -> Match:
        match = await self._match_of(user, match_id)
        if _room(match_id) not in self.rooms(sid):
            raise Refusal("not_joined", "Join the match first")
        return match

    async def _tell_presence(self, user: str, online: bool) -> None:
        for partner in await self._store.partners(user):
            for connection in self.presence.connections(partner):
                await self.emit("user_online_status", {"user_id": user, "online": online}, to=connection)

    async def _tell_stopped(self, typist: Typist, connection: str) -> None:
        await self._tell_typing("typing_stopped", typist, connection)

    async def _tell_typing(self, event: str, typist: Typist, connection: str) -> None:
        match_id, user = typist
        await self.emit(event, {"match_id": match_id, "user_id": user}, to=_room(match_id), skip_sid=connection)


def _room(match_id: str) -> str:
    return f"match:{match_id}"
