"""MasterX's names, and the example that its developers copy."""

import importlib.util
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Query, WebSocket, WebSocketDisconnect

from everwire import EnvironmentRefused, Everwire, Limits, SqliteStore, Tokens, from_environment
from everwire.masterx import MasterX
from everwire.testing import Client, Running, running

from .conftest import SECRET, Start

EMOTION = {
    "primary_emotion": "joy",
    "intensity": 0.7,
    "pad_values": {"pleasure": 0.5, "arousal": 0.2, "dominance": 0.1},
}


class Original:
    """An application with the original's endpoint, word for word."""

    def __init__(self, database: Path) -> None:
        tokens = Tokens(SECRET)
        self.wire = Everwire(
            store=SqliteStore(database, durable=False), tokens=tokens, limits=Limits(messages_per_minute=0)
        )
        self.masterx = MasterX(self.wire, tokens)
        self.tokens = tokens
        manager, verify_token = self.masterx.manager, self.masterx.verify_token
        self.app = FastAPI(lifespan=self.wire.lifespan)

        @self.app.websocket("/api/ws")
        async def websocket_endpoint(websocket: WebSocket, token: str = Query(...)) -> None:
            user_id = verify_token(token)
            if not user_id:
                await websocket.close(code=1008, reason="Invalid token")
                return
            connection_id = str(uuid.uuid4())
            await manager.connect(websocket, user_id, connection_id)
            try:
                while True:
                    data = await websocket.receive_json()
                    await self.masterx.handle_websocket_message(user_id, data)
            except WebSocketDisconnect:
                manager.disconnect(user_id, connection_id)


@pytest.fixture
async def original(tmp_path: Path) -> AsyncIterator[tuple[Running, MasterX]]:
    original = Original(tmp_path / "everwire.db")
    async with running(original.app, original.wire, original.tokens) as server:
        yield server, original.masterx


async def test_the_originals_endpoint_and_manager_go_on_as_they_are(original: tuple[Running, MasterX]) -> None:
    server, masterx = original
    manager = masterx.manager
    ada, ben = await server.connect("ada"), await server.connect("ben")
    await ada.hello()
    await ben.hello()
    assert manager.is_connected("ada")
    assert not manager.is_connected("eve")
    await masterx.send_emotion_update("ada", "m1", EMOTION)
    assert (await ada.until("emotion_update"))["data"] == {"message_id": "m1", "emotion": EMOTION}
    await manager.send_personal_message({"type": "notification", "data": {"text": "hi"}}, "ada")
    assert (await ada.until("notification"))["data"] == {"text": "hi"}
    await manager.join_session("ben", "s1")
    await manager.send_to_session("s1", {"type": "session_update", "data": {"progress": 1}})
    assert (await ben.until("session_update"))["data"] == {"progress": 1}
    assert await ada.settle() == []
    await manager.leave_session("ben", "s1")
    await manager.broadcast({"type": "notification", "data": {"text": "all"}})
    for client in (ada, ben):
        assert (await client.until("notification"))["data"] == {"text": "all"}
    answers = await masterx.handle_websocket_message("ada", {"type": "message_sent", "data": {}})
    assert answers[0]["data"]["code"] == "malformed"
    ada.cut()
    ben.cut()
    await server.until_open(0)
    assert not manager.is_connected("ada")


async def test_the_manager_ends_a_membership_on_all_devices(original: tuple[Running, MasterX]) -> None:
    server, masterx = original
    devices = [await server.connect("ada"), await server.connect("ada")]
    for device in devices:
        await device.hello()
        await device.send("join_session", {"session_id": "s1"}, seq=1)
        await device.acknowledged(1)
    await masterx.manager.leave_session("ada", "s1")
    await masterx.manager.send_to_session("s1", {"type": "session_update", "data": {}})
    for device in devices:
        assert await device.settle() == []
        await device.send("message_sent", {"session_id": "s1", "message": {"id": "1", "content": "hi"}}, seq=2)
        assert (await device.until("error"))["data"]["code"] == "not_joined"
        await device.close()


async def test_who_speaks_and_when_is_the_servers_to_say(original: tuple[Running, MasterX]) -> None:
    server, _ = original
    ada, ben = await server.connect("ada"), await server.connect("ben")
    for client in (ada, ben):
        await client.send("join_session", {"session_id": "s1"})
        await client.settle()
    forged = {"role": "assistant", "timestamp": "1999-01-01T00:00:00Z", "user_id": "ben", "session_id": "s2"}
    await ada.send(
        "message_sent", {"session_id": "s1", "message": {**forged, "id": "1", "content": "hi", "mood": "good"}}
    )
    message = (await ben.until("message_received"))["data"]["message"]
    assert message["timestamp"] > "2026"
    del message["timestamp"]
    own = {"role": "user", "user_id": "ada", "session_id": "s1"}
    assert message == {**own, "id": "1", "content": "hi", "mood": "good"}
    await ada.close()
    await ben.close()


async def test_members_of_a_session_are_told_who_joins_leaves_comes_and_goes(start: Start) -> None:
    async with start(members=True) as server:
        ada = await server.connect("ada")
        await ada.send("join_session", {"session_id": "s1"})
        assert await members(ada) == {"ada": True}
        ben = await server.connect("ben")
        await ben.hello("k3Zq8vXw2LmN4pRt")
        await ben.send("join_session", {"session_id": "s1"}, seq=1)
        assert await members(ada) == {"ada": True, "ben": True}
        ben.cut()
        # What he has joined is stored, so he is a member while he is away.
        assert await members(ada) == {"ada": True, "ben": False}
        ben = await server.connect("ben")
        assert await members(ada) == {"ada": True, "ben": True}
        await ben.hello("k3Zq8vXw2LmN4pRt")
        await ben.send("leave_session", {"session_id": "s1"}, seq=2)
        assert await members(ada) == {"ada": True}
        await ada.close()
        await ben.close()


async def members(client: Client) -> dict[str, bool]:
    told = (await client.until("session_members"))["data"]
    assert told["session_id"] == "s1"
    return {member["user_id"]: member["online"] for member in told["members"]}


def test_a_token_is_verified_as_the_original_did(tmp_path: Path) -> None:
    masterx = Original(tmp_path / "everwire.db").masterx
    assert masterx.verify_token(Tokens(SECRET).issue("ada")) == "ada"
    for token in (None, "", "x", Tokens(SECRET).issue("ada", life_s=-1), Tokens("y" * 32).issue("ada")):
        assert masterx.verify_token(token) is None


def test_the_originals_variables_are_read() -> None:
    environment = from_environment(
        {
            "JWT_SECRET_KEY": "x" * 32,
            "JWT_ALGORITHM": "HS256",
            "JWT_ACCESS_TOKEN_EXPIRE_MINUTES": "1",
            "WS_HEARTBEAT_INTERVAL": "20",
            "WS_MAX_MESSAGE_SIZE": "2048",
            "WS_CONNECTION_TIMEOUT": "60",
            "WS_RATE_LIMIT_MESSAGES": "30",
            "CORS_ORIGIN": "http://localhost:3000/, https://masterx.example",
            "UNUSED": "",
        }
    )
    limits = environment.limits
    assert (limits.max_message_bytes, limits.messages_per_minute, limits.idle_timeout_s) == (2048, 30, 60.0)
    assert environment.allow_origins == ["http://localhost:3000", "https://masterx.example"]
    assert environment.heartbeat_interval_s == 20.0
    assert from_environment({"EVERWIRE_JWT_SECRET": "x" * 32, "CORS_ORIGIN": " "}).allow_origins is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET_KEY", ""),
        ("JWT_ALGORITHM", "RS256"),
        ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("WS_MAX_MESSAGE_SIZE", "10 KB"),
        ("WS_CONNECTION_TIMEOUT", "10"),
        ("WS_RATE_LIMIT_MESSAGES", "-1"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(EnvironmentRefused, match=name):
        from_environment({"JWT_SECRET_KEY": "secret words of a key", name: value})


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("EVERWIRE_DEV", "1")
    monkeypatch.setenv("EVERWIRE_DATABASE", str(tmp_path / "example.db"))
    path = Path(__file__).parents[1] / "examples/fastapi/main.py"
    spec = importlib.util.spec_from_file_location("everwire_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "everwire_example", module)
    spec.loader.exec_module(module)
    return module


async def test_a_message_takes_the_emotion_to_every_device_and_the_chat_answers(example: ModuleType) -> None:
    async with (
        running(example.app, example.wire, example.tokens) as server,
        httpx.AsyncClient(base_url=server.base) as http,
    ):
        token = (await http.post("/api/v1/login", json={"user_id": "ada"})).json()["token"]
        phone, laptop = await server.connect("ada", token), await server.connect("ada", token)
        for device in (phone, laptop):
            await device.hello()
            await device.send("join_session", {"session_id": "lesson"}, seq=1)
        message: dict[str, Any] = {
            "session_id": "lesson",
            "message": {"id": "m1", "content": "I'm so excited about this!"},
        }
        await phone.send("message_sent", message, seq=2)
        assert (await laptop.until("message_received"))["data"]["message"]["content"] == message["message"]["content"]
        for device in (phone, laptop):
            emotion = (await device.until("emotion_update"))["data"]
            assert (emotion["message_id"], emotion["emotion"]["primary_emotion"]) == ("m1", "excitement")

        body = {"message": "this is great", "session_id": "lesson"}
        headers = {"authorization": f"Bearer {token}"}
        answer = await http.post("/api/v1/chat", json=body, headers=headers)
        assert answer.json()["emotion"]["primary_emotion"] == "joy"
        assert (await laptop.until("emotion_update"))["data"]["message_id"] == answer.json()["message_id"]
        assert (await http.post("/api/v1/chat", json=body)).status_code == 401
        assert (await http.get("/health")).json() == {"status": "ok", "websocket": "enabled", "connections": 2}
        assert "A chat with a tutor" in (await http.get("/")).text
        phone.cut()
        laptop.cut()


async def test_the_chat_answers_also_when_the_event_cannot_be_stored(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running(example.app, example.wire, example.tokens) as server,
        httpx.AsyncClient(base_url=server.base) as http,
    ):

        async def fail(*_: object) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(example.masterx, "send_emotion_update", fail)
        headers = {"authorization": f"Bearer {server.tokens.issue('ada')}"}
        answer = await http.post("/api/v1/chat", json={"message": "hi", "session_id": "s"}, headers=headers)
        assert (answer.status_code, answer.json()["answer"]) == (200, "You said: hi")
