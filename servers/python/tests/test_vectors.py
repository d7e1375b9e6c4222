"""The conversations of docs/vectors."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from everwire import Store
from everwire.store.postgres import PostgresStore
from everwire.testing import Running
from everwire.vectors import Conversation, Mismatch, Player, load

from .conftest import Start

CONVERSATIONS = load()


class Here:
    """The server in this process, restarted on the same file."""

    def __init__(self, start: Start, store: Callable[[], Store] | None = None) -> None:
        self._start = start
        self._store = store

    async def __aenter__(self) -> "Here":
        self._context = self._start(store=self._store() if self._store else None)
        self.server: Running = await self._context.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._context.__aexit__(None, None, None)

    async def url(self, user: str) -> str:
        return self.server.url(user)

    async def push(self, user: str, kind: str, data: dict[str, Any]) -> None:
        await self.server.wire.publish(user, kind, data)

    async def forget(self, user: str, stream: str, upto: int) -> None:
        await self.server.wire.store.forget(user, stream, upto)

    async def restart(self) -> None:
        await self.__aexit__()
        await self.__aenter__()

    async def connections(self, user: str) -> int:
        return len(self.server.wire.engine.connections(user))


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_every_conversation_that_a_server_can_have(conversation: Conversation, start: Start) -> None:
    async with Here(start) as server:
        await Player(server, conversation).play()


async def test_every_conversation_that_a_server_on_postgresql_can_have(start: Start, database: str) -> None:
    async with asyncpg.create_pool(database, min_size=0, max_size=8) as pool:
        for conversation in CONVERSATIONS:
            async with Here(start, lambda: PostgresStore(pool)) as server:
                await Player(server, conversation).play()


@pytest.mark.parametrize(
    "step",
    [
        {"server": {"type": "ack", "data": {"seq": 2}}},
        {
            "server": {
                "type": "reply",
                "data": {"seq": 1, "result": {"n": 2}},
                "stream": "client:k3Zq8vXw2LmN4pRt",
                "offset": 1,
            }
        },
        {"server": {"type": "error", "data": {"code": "not_joined", "seq": 1}}},
        {"close": 4400},
    ],
)
async def test_a_server_that_says_something_else_is_found_out(step: dict[str, Any], start: Start) -> None:
    request = next(conversation for conversation in CONVERSATIONS if conversation.name == "request")
    wrong = Conversation("wrong", "", None, [*request.steps[:7], step])
    async with Here(start) as server:
        with pytest.raises(Mismatch):
            await Player(server, wrong, patience_s=0.5).play()


def test_there_are_conversations() -> None:
    assert len(CONVERSATIONS) >= 20
