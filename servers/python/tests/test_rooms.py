"""Who is in which room, in memory as in the database."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from everwire import Context, Limits
from everwire.store.postgres import PostgresStore
from everwire.testing import Client, Running

from .conftest import Start


async def codes(client: Client) -> list[str]:
    """The codes of the errors that have come."""
    return [frame["data"]["code"] for frame in await client.settle() if frame["type"] == "error"]


async def typing_is_refused(client: Client, room: str) -> bool:
    """Whether a typing without a number, which memory alone decides about, is `not_joined`."""
    await client.send("user_typing", {"session_id": room, "isTyping": True})
    return await codes(client) == ["not_joined"]


def move_without_luck(server: Running) -> None:
    @server.wire.on("move")
    async def move(ctx: Context, data: dict[str, Any]) -> None:
        await (ctx.leave("r1") if data["leaves"] else ctx.join("r1"))
        ctx.publish(ctx.user, "unlucky", {})


@pytest.mark.usefixtures("unlucky")
@pytest.mark.parametrize("leaves", [False, True])
async def test_a_move_whose_transaction_fails_has_not_been_made(start: Start, leaves: bool) -> None:
    async with start() as server:
        move_without_luck(server)
        ada = await server.connect("ada")
        await ada.hello()
        if leaves:
            await ada.send("join_session", {"session_id": "r1"}, seq=1)
            await ada.acknowledged(1)
        seq = 2 if leaves else 1
        await ada.send("move", {"leaves": leaves}, seq=seq)
        came = await ada.acknowledged(seq)
        assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
        assert await typing_is_refused(ada, "r1") is not leaves
        (peer,) = server.wire.engine.connections("ada")
        assert ("r1" in peer.joined, list(server.wire.engine.rooms.users("r1"))) == (leaves, ["ada"] * leaves)
        await ada.close()


async def test_a_join_that_postgresql_refuses_at_the_commit_has_not_been_made(start: Start, database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("CREATE TABLE things (id INT PRIMARY KEY)")
    await owner.execute("CREATE TABLE parts (thing INT REFERENCES things DEFERRABLE INITIALLY DEFERRED)")
    async with start(store=PostgresStore(database)) as server:

        @server.wire.on("move")
        async def move(ctx: Context, data: dict[str, Any]) -> None:
            await ctx.join("r1")
            await (await ctx.db()).execute("INSERT INTO parts VALUES (1)")

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("move", seq=1)
        came = await ada.acknowledged(1)
        assert [frame["data"]["code"] for frame in came if frame["type"] == "error"] == ["internal"]
        assert await typing_is_refused(ada, "r1")
        await ada.close()
    await owner.close()


async def test_messages_of_one_transaction_see_the_moves_of_those_before_them(server: Running) -> None:
    seen: list[Any] = []

    @server.wire.on("look")
    async def look(ctx: Context, data: dict[str, Any]) -> None:
        seen.append((ctx.user, await ctx.joined("s1"), await ctx.members("s1")))

    @server.wire.on("refused join")
    async def refused_join(ctx: Context, data: dict[str, Any]) -> None:
        await ctx.join("s2")
        assert await ctx.joined("s2")
        raise LookupError

    @server.wire.on("look for it")
    async def look_for_it(ctx: Context, data: dict[str, Any]) -> None:
        seen.append((ctx.user, await ctx.joined("s2"), await ctx.members("s2")))

    ada, ben = await server.connect("ada"), await server.connect("ben")
    async with server.wire.store.transaction():
        for kind in ("join_session", "look", "leave_session", "look", "join_session", "refused join", "look for it"):
            await ada.send(kind, {"session_id": "s1"})
        await asyncio.sleep(0.2)
        await ben.send("look", {})
        await asyncio.sleep(0.2)
    await ada.settle()
    await ben.settle()
    assert seen == [
        ("ada", True, ["ada"]),
        ("ada", False, []),
        ("ada", False, []),
        ("ben", False, ["ada"]),
    ]
    await ada.close()
    await ben.close()


@pytest.mark.parametrize("numbered", [True, False])
async def test_a_join_beyond_the_limit_is_refused(start: Start, numbered: bool) -> None:
    async with start(Limits(messages_per_minute=0, rooms_per_user=2)) as server:
        ada = await server.connect("ada")
        await ada.hello()
        for seq, room in enumerate(("r1", "r2", "r3"), 1):
            await ada.send("join_session", {"session_id": room}, **({"seq": seq} if numbered else {}))
        (refused,) = [frame["data"] for frame in await ada.settle() if frame["type"] == "error"]
        assert (refused["code"], refused["about"]) == ("too_many_sessions", "join_session")
        assert refused["message"] == "a user can be in 2 sessions at most"
        assert [await typing_is_refused(ada, room) for room in ("r1", "r2", "r3")] == [False, False, True]
        async with server.wire.store.transaction() as tx:
            assert [await tx.joined("ada", room) for room in ("r1", "r2", "r3")] == [True, True, False]
        await ada.send("join_session", {"session_id": "r1"})
        await ada.send("leave_session", {"session_id": "r2"})
        await ada.send("join_session", {"session_id": "r3"})
        assert await codes(ada) == []
        assert not await typing_is_refused(ada, "r3")
        await ada.close()


async def test_what_is_joined_again_is_not_forgotten_for_what_was_joined_before(start: Start) -> None:
    async with start(Limits(messages_per_minute=0, rooms_per_user=2)) as server:
        before = await server.connect("ada")
        await before.hello()
        for room in ("r1", "r2"):
            await before.send("join_session", {"session_id": room})
        await before.settle()
        await before.close()
        await server.until_open(0)
        ada = await server.connect("ada")
        await ada.hello()
        for room in ("r1", "r3"):
            await ada.send("join_session", {"session_id": room})
        assert await codes(ada) == []
        async with server.wire.store.transaction() as tx:
            assert [await tx.joined("ada", room) for room in ("r1", "r2", "r3")] == [True, False, True]
            assert await tx.members("r1") == ["ada"]
        await ada.close()


async def test_memberships_lapse_after_a_hello_that_came_while_others_were_kept(server: Running) -> None:
    keeper = server.wire.engine.keeper
    ada = await server.connect("ada")
    for client_id in ("a" * 20, "b" * 20):
        await ada.hello(client_id)
        await ada.send("join_session", {"session_id": f"of {client_id[0]}"}, seq=1)
        await ada.acknowledged(1)
    await ada.hello("a" * 20)
    (peer,) = server.wire.engine.connections("ada")

    def a_minute_passes() -> None:
        peer.welcomed_at -= 61

    a_minute_passes()
    async with server.wire.store.transaction():
        await ada.send("hello", {"versions": [1], "client_id": "b" * 20, "streams": {}})
        while not peer.hellos_waiting or peer.inbox:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        keeping = asyncio.create_task(keeper._keep_clients(time.monotonic()))
        await asyncio.sleep(0)
    await keeping
    assert peer.client_id == "b" * 20
    async with server.wire.store.transaction() as tx:
        assert await tx.members("of b") == ["ada"]
    a_minute_passes()
    await keeper._keep_clients(time.monotonic())
    async with server.wire.store.transaction() as tx:
        assert await tx.members("of b") == []
    await ada.close()
