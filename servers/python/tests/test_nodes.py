"""Several nodes on one PostgreSQL, with Redis between them, and what happens when any of these dies."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from everwire import Everwire, Limits, Tokens
from everwire.bus.redis import RedisBus
from everwire.masterx import MasterX
from everwire.store.postgres import PostgresStore
from everwire.testing import Client, FaultProxy, Running, ServerProcess, free_port, running
from everwire.testing.fixtures import FaultsFactory, ProcessFactory

from .conftest import SECRET
from .postgres import Cluster, binaries
from .redis_server import RedisServer
from .test_delivery import Database, connect, deliver
from .test_masterx import members

Transitions = list[tuple[str, bool]]


class Node:
    """A server in the test's own event loop, and the transitions of presence that it has heard of."""

    def __init__(self, server: Running, transitions: Transitions) -> None:
        self.server = server
        self.transitions = transitions

    async def connect(self, user: str) -> Client:
        return await self.server.connect(user)

    async def is_up(self) -> None:
        bus = self.server.wire.engine.bus
        assert bus is not None
        await until(lambda: bus.is_up)


@asynccontextmanager
async def node(database: str, redis: str) -> AsyncIterator[Node]:
    tokens = Tokens(SECRET)
    transitions: Transitions = []
    wire = Everwire(
        store=PostgresStore(database, notify=False),
        tokens=tokens,
        limits=Limits(messages_per_minute=0),
        bus=RedisBus(redis),
        on_presence=lambda user, online: transitions.append((user, online)),
    )
    MasterX(wire, tokens)
    app = Starlette(routes=[wire.route()], lifespan=wire.lifespan)
    async with running(app, wire, tokens) as server:
        made = Node(server, transitions)
        await made.is_up()
        yield made


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def nodes(database: str, redis: RedisServer) -> AsyncIterator[tuple[Node, Node]]:
    async with node(database, redis.url) as first, node(database, redis.url) as second:
        yield first, second


async def test_stored_events_reach_other_nodes_at_once(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    ada = await second.connect("ada")
    await ada.hello()
    # The slow poll would take 15 s.
    async with asyncio.timeout(5):
        for n in range(20):
            await first.server.wire.publish("ada", "notification", {"n": n})
            assert (await ada.until("notification"))["data"] == {"n": n}
    await ada.close()


async def test_a_client_id_that_says_hello_to_another_node_is_closed_here_at_once(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    old, new = await first.connect("ada"), await second.connect("ada")
    await old.hello("k3Zq8vXw2LmN4pRt")
    await new.hello("k3Zq8vXw2LmN4pRt")
    async with asyncio.timeout(5):
        assert await old.closed() == 4410
    await new.close()


async def test_what_is_told_reaches_the_connections_of_all_nodes_once(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    here, there = await first.connect("ada"), await second.connect("ada")
    await first.server.wire.publish("ada", "plain", {})
    first.server.wire.tell("ada", "told", {})
    first.server.wire.tell_everyone("for_everyone", {})
    first.server.wire.tell("ada", "last", {})
    for client in (here, there):
        types = [(await client.frame())["type"] for _ in range(4)]
        assert types == ["plain", "told", "for_everyone", "last"]
        await client.close()


async def test_a_room_is_one_room_on_all_nodes(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    ada, ben, plain = await first.connect("ada"), await second.connect("ben"), await second.connect("plain")
    ada_elsewhere = await second.connect("ada")
    await ada.hello()
    await ben.hello()
    for client in (ada, ben, plain):
        await client.send("join_session", {"session_id": "s1"})
        await client.settle()
    await ada.send("user_typing", {"session_id": "s1", "isTyping": True})
    await ada.send("message_sent", {"session_id": "s1", "message": {"id": "m1", "content": "hi"}}, seq=1)
    await ada.acknowledged(1)
    for client in (ben, plain, ada_elsewhere):
        came = {(await client.until(kind))["type"] for kind in ("typing_indicator", "message_received")}
        assert came == {"typing_indicator", "message_received"}
        await first.server.wire.publish_to_room("s1", "news", {})
        await client.until("news")
    assert [frame["type"] for frame in await ben.settle() if frame["type"] == "message_received"] == []
    for client in (ada, ben, plain, ada_elsewhere):
        await client.close()


async def test_members_on_all_nodes_are_told_who_is_there(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    ada, ben = await first.connect("ada"), await second.connect("ben")
    for client in (ada, ben):
        await client.hello()
        await client.send("join_session", {"session_id": "s1"}, seq=1)
        await client.acknowledged(1)
    everyone = {"ada": True, "ben": True}
    for client in (ada, ben):
        while await members(client) != everyone:
            pass
    ben.cut()
    while await members(ada) != {"ada": True, "ben": False}:
        pass
    await ada.close()


async def test_a_user_is_online_while_any_node_has_a_connection_and_one_node_hears_of_it(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    heard: Callable[[], Transitions] = lambda: first.transitions + second.transitions  # noqa: E731
    here = await first.connect("ada")
    await until(lambda: heard() == [("ada", True)])
    there = await second.connect("ada")
    assert await first.server.wire.online(["ada", "ben"]) == {"ada"}
    await here.close()
    await until(lambda: not first.server.wire.is_connected("ada"))
    assert await first.server.wire.online(["ada"]) == {"ada"}
    await there.close()
    await until(lambda: ("ada", False) in heard())
    assert await first.server.wire.online(["ada"]) == set()
    assert heard() == [("ada", True), ("ada", False)] or sorted(heard()) == [("ada", False), ("ada", True)]


async def test_users_of_a_node_that_was_killed_are_offline_within_seconds(
    everwire_process: ProcessFactory, database: str, redis: RedisServer
) -> None:
    await Database(database).prepare()
    async with node(database, redis.url) as survivor:
        process = await start(everwire_process, database, redis.url)
        ada, ben = await connect("ada", process.port), await connect("ben", process.port)
        ben_here = await survivor.connect("ben")

        async def both() -> bool:
            return await survivor.server.wire.online(["ada", "ben"]) == {"ada", "ben"}

        await until(both)
        await process.kill()
        await until(lambda: ("ada", False) in survivor.transitions, within_s=15)
        assert await survivor.server.wire.online(["ada", "ben"]) == {"ben"}
        assert ("ben", False) not in survivor.transitions
        for client in (ada, ben, ben_here):
            client.cut()


async def test_without_redis_stored_events_arrive_all_the_same_and_presence_is_right_again_after_it(
    nodes: tuple[Node, Node], redis: RedisServer
) -> None:
    first, second = nodes
    ada, ben = await first.connect("ada"), await second.connect("ben")
    await ada.hello()
    await ben.hello()
    redis.kill()
    await until(lambda: not first.server.wire.engine.bus.is_up)  # type: ignore[union-attr]
    await first.server.wire.publish("ben", "notification", {"n": 1})
    async with asyncio.timeout(5):
        assert (await ben.until("notification"))["data"] == {"n": 1}
    assert await first.server.wire.online(["ada", "ben"]) == {"ada"}
    ada.cut()
    await until(lambda: not first.server.wire.is_connected("ada"))
    redis.start()
    for each in nodes:
        await each.is_up()

    async def right() -> bool:
        return await first.server.wire.online(["ada", "ben"]) == {"ben"}

    await until(right)
    first.server.wire.tell("ben", "told", {})
    await ben.until("told")
    ben.cut()


async def test_a_node_that_redis_cannot_be_reached_from_is_offline_for_others_until_it_can(
    everwire_faults: FaultsFactory, database: str, redis: RedisServer
) -> None:
    proxy: FaultProxy = await everwire_faults(redis.port)
    async with (
        node(database, redis.url) as near,
        node(database, f"redis://127.0.0.1:{proxy.port}/0") as far,
    ):
        ada = await far.connect("ada")
        await until(lambda: ("ada", True) in far.transitions)
        proxy.swallow_up = proxy.swallow_down = True
        await until(lambda: ("ada", False) in near.transitions, within_s=15)
        proxy.reset()
        proxy.swallow_up = proxy.swallow_down = False
        await until(lambda: far.transitions.count(("ada", True)) == 2)
        assert await near.server.wire.online(["ada"]) == {"ada"}
        ada.cut()


async def test_redis_that_is_away_at_the_start_is_found_when_it_comes(database: str) -> None:
    redis = RedisServer()
    tokens = Tokens(SECRET)
    bus = RedisBus(redis.url)
    wire = Everwire(store=PostgresStore(database), tokens=tokens, bus=bus)
    app = Starlette(routes=[wire.route()], lifespan=wire.lifespan)
    async with running(app, wire, tokens) as server:
        ada = await server.connect("ada")
        await ada.hello()
        assert await wire.online(["ada"]) == {"ada"}
        redis.start()
        try:
            await until(lambda: bus.is_up)
            await ada.settle()
            await ada.close()
        finally:
            redis.kill()


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """One that a test may kill."""
    found = binaries()
    assert found is not None
    cluster = Cluster(found, name="killed")
    cluster.start()
    yield cluster
    cluster.stop()


async def start(make: ProcessFactory, database: str, redis: str) -> ServerProcess:
    port = free_port()
    return await make([sys.executable, "-m", "tests.mortal", database, str(port), redis], port)


async def test_everything_arrives_once_and_in_order_whatever_of_nodes_redis_and_postgresql_is_killed(
    everwire_process: ProcessFactory, own_postgres: Cluster, redis: RedisServer
) -> None:
    await own_postgres.create("chaos")
    database = Database(own_postgres.url("chaos"))
    await database.prepare()
    servers = [await start(everwire_process, database.where, redis.url) for _ in range(2)]

    async def kill_node(which: int) -> None:
        await servers[which].kill()
        await asyncio.sleep(random.uniform(0.1, 0.5))
        await servers[which].start()

    async def restart_node(which: int) -> None:
        await servers[which].stop()
        await servers[which].start()

    async def kill_redis() -> None:
        redis.kill()
        await asyncio.sleep(random.uniform(0.1, 0.5))
        await asyncio.to_thread(redis.start)

    async def kill_postgres() -> None:
        own_postgres.kill()
        await own_postgres.start_again()

    async def trouble() -> None:
        troubles: list[Callable[[], Awaitable[None]]] = [
            lambda: kill_node(0),
            kill_redis,
            lambda: restart_node(1),
            kill_postgres,
            lambda: restart_node(0),
            lambda: kill_node(1),
        ]
        for make in troubles:
            await asyncio.sleep(random.uniform(0.1, 0.4))
            await make()

    await deliver(database, [server.port for server in servers], trouble)


async def test_nothing_is_acknowledged_that_is_not_stored_and_it_starts_without_its_database(
    everwire_process: ProcessFactory, own_postgres: Cluster, redis: RedisServer
) -> None:
    await own_postgres.create("later")
    database = Database(own_postgres.url("later"))
    await database.prepare()
    own_postgres.kill()
    server = await start(everwire_process, database.where, redis.url)
    early = await connect("ada", server.port)
    assert await early.closed() == 1011
    await own_postgres.start_again()
    welcome: dict[str, Any] = {}
    while not welcome:
        try:
            ada = await connect("ada", server.port)
            welcome = await ada.hello("k3Zq8vXw2LmN4pRt")
        except Exception:
            await asyncio.sleep(0.1)
    healthy = Everwire(store=PostgresStore(database.where), tokens=Tokens(SECRET))
    await healthy.engine.start()
    await ada.send("count", {"n": 1}, seq=1)
    await ada.acknowledged(1)
    assert await healthy.is_healthy()
    own_postgres.kill()
    await ada.send("count", {"n": 2}, seq=2)
    assert await ada.closed() == 1011
    assert not await healthy.is_healthy()
    await own_postgres.start_again()
    assert await healthy.is_healthy()
    await healthy.engine.stop()
    assert await database.processed() == [1]
