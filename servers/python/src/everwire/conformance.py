"""What every `Store` must do. A store of your own passes if a test class with its fixture does::

from everwire.conformance import StoreConformance

class TestMongoStore(StoreConformance):
    @pytest.fixture
    async def make(self) -> AsyncIterator[Make]:
        yield lambda: MongoStore(...)   # again on the same database
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from .limits import Limits
from .store import Change, NewEvent, Store

Make = Callable[[], Store]

LIMITS = Limits(history_events=100, history_bytes=20_000, streams_per_user=3, rooms_per_user=3)
NOW = 1_000_000


def event(n: int, *, user: str = "ada", stream: str = "user", origin: str = "", size: int = 0) -> NewEvent:
    return NewEvent(user, stream, f'{{"type":"n","data":{{"n":{n},"x":"{"x" * size}"}}}}', origin)


class StoreConformance:
    @pytest_asyncio.fixture
    async def store(self, make: Make) -> AsyncIterator[Store]:
        store = make()
        await store.open(LIMITS)
        yield store
        await store.close()

    async def begin(self, store: Store, user: str = "ada", stream: str = "user", now: int = NOW) -> int:
        async with store.transaction() as tx:
            return await tx.position(user, stream, None, now)

    async def append(self, store: Store, *events: NewEvent, now: int = NOW) -> list[int | None]:
        async with store.transaction() as tx:
            return await tx.append(events, now)

    async def test_the_epoch_and_the_memory_outlive_the_process(self, make: Make) -> None:
        first = make()
        epoch = await first.open(LIMITS)
        async with first.transaction() as tx:
            assert await tx.hello("ada", "c1", "me", NOW) == 0
            assert await tx.take("ada", "c1", "me", 0, 7)
        await first.close()
        second = make()
        assert await second.open(LIMITS) == epoch
        async with second.transaction() as tx:
            assert await tx.hello("ada", "c1", "another", NOW) == 7
            assert await tx.hello("ben", "c1", "another", NOW) == 0
        await second.close()

    async def test_a_message_is_taken_by_its_owner_after_the_one_before_it_only(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.hello("ada", "c1", "me", NOW)
            assert await tx.take("ada", "c1", "me", 0, 3)
            for owner, prev in (("me", 0), ("me", 2), ("me", 4), ("another", 3), ("", 3)):
                assert not await tx.take("ada", "c1", owner, prev, 9)
            assert not await tx.take("ada", "c2", "me", 0, 1)
            assert not await tx.take("ben", "c1", "me", 3, 4)
            assert await tx.hello("ada", "c1", "another", NOW) == 3
            assert not await tx.take("ada", "c1", "me", 3, 4)
            assert not await tx.touch("ada", "c1", "me", NOW)
            assert await tx.touch("ada", "c1", "another", NOW)
            assert await tx.take("ada", "c1", "another", 3, 2**53 - 1)

    async def test_what_fails_leaves_nothing(self, store: Store) -> None:
        await self.begin(store)
        async with store.transaction() as tx:
            await tx.hello("ada", "c1", "me", NOW)
        with pytest.raises(ZeroDivisionError):
            await self._fail(store)
        async with store.transaction() as tx:
            assert await tx.take("ada", "c1", "me", 0, 1)
            assert not await tx.joined("ada", "room")
        assert await store.events("ada", "user", 0, 10) == []
        assert await store.newest("ada", "user") == NOW

    async def _fail(self, store: Store) -> None:
        async with store.transaction() as tx:
            assert await tx.take("ada", "c1", "me", 0, 1)
            await tx.append([event(1)], NOW)
            await tx.join("ada", "c1", "room")
            raise ZeroDivisionError

    async def test_a_savepoint_undoes_one_message_of_many(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.join("ada", "c1", "r1")
            await tx.savepoint()
            await tx.join("ada", "c1", "r2")
            await tx.rollback()
            await tx.savepoint()
            await tx.join("ada", "c1", "r3")
            await tx.release()
        async with store.transaction() as tx:
            assert [await tx.joined("ada", room) for room in ("r1", "r2", "r3")] == [True, False, True]

    async def test_offsets_follow_each_other_in_each_stream(self, store: Store) -> None:
        await self.begin(store)
        await self.begin(store, stream="client:c1", now=5)
        offsets = await self.append(
            store, event(1), event(2, stream="client:c1"), event(3, user="nobody"), event(4, origin="c1")
        )
        assert offsets == [NOW + 1, 6, None, NOW + 2]
        events = await store.events("ada", "user", 0, 10)
        assert [(e.offset, e.origin) for e in events] == [(NOW + 1, ""), (NOW + 2, "c1")]
        assert '"n":4' in events[1].frame
        assert [e.offset for e in await store.events("ada", "user", NOW + 1, 10)] == [NOW + 2]
        assert [e.offset for e in await store.events("ada", "user", 0, 1)] == [NOW + 1]
        assert await store.events("nobody", "user", 0, 10) == []
        assert await store.newest("nobody", "user") is None

    async def test_the_position_is_where_the_history_is_whole(self, store: Store) -> None:
        assert await self.begin(store) == NOW
        await self.append(store, *(event(n) for n in range(10)))
        await store.forget("ada", "user", NOW + 4)

        async def position(named: int | None) -> int:
            async with store.transaction() as tx:
                return await tx.position("ada", "user", named, NOW + 99)

        assert await position(None) == NOW + 10
        assert await position(0) == NOW + 4
        assert await position(NOW + 4) == NOW + 4
        assert await position(NOW + 7) == NOW + 7
        assert await position(NOW + 11) == NOW + 10
        await store.forget("ada", "user", NOW + 10)
        assert await position(NOW + 7) == NOW + 10

    async def test_history_is_bounded_in_events_and_in_bytes(self, store: Store) -> None:
        await self.begin(store)
        for first in range(0, 300, 50):
            await self.append(store, *(event(n) for n in range(first, first + 50)))
        kept = await store.events("ada", "user", 0, 1000)
        assert LIMITS.history_events <= len(kept) <= LIMITS.history_events + 64
        assert kept[-1].offset == NOW + 300
        await self.begin(store, user="ben")
        for n in range(200):
            await self.append(store, event(n, user="ben", size=1000))
        assert sum(len(e.frame) for e in await store.events("ben", "user", 0, 1000)) <= LIMITS.history_bytes + 64 * 1100

    async def test_the_bytes_of_the_history_are_those_of_utf_8(self, store: Store) -> None:
        await self.begin(store)
        text = "字" * 1000
        for n in range(190):
            await self.append(store, NewEvent("ada", "user", f'{{"type":"n","data":{{"n":{n},"text":"{text}"}}}}'))
        sizes = [len(e.frame.encode()) for e in await store.events("ada", "user", 0, 1000)]
        assert sum(sizes) <= LIMITS.history_bytes + 64 * max(sizes)

    async def test_events_are_forgotten_by_age_and_clients_after_remember_ms(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.hello("ada", "c1", "me", NOW)
            await tx.take("ada", "c1", "me", 0, 5)
            await tx.join("ada", "c1", "room")
        await self.begin(store)
        await self.append(store, event(1))
        await self.append(store, event(2), now=NOW + LIMITS.history_age_ms)
        await store.sweep(NOW + LIMITS.history_age_ms + 1)
        assert [e.offset for e in await store.events("ada", "user", 0, 10)] == [NOW + 2]
        await store.sweep(NOW + LIMITS.remember_ms)
        async with store.transaction() as tx:
            assert await tx.joined("ada", "room")
        await store.sweep(NOW + LIMITS.remember_ms + 1)
        assert await store.newest("ada", "user") is None
        async with store.transaction() as tx:
            assert not await tx.joined("ada", "room")
            assert await tx.members("room") == []
            assert await tx.hello("ada", "c1", "me", NOW) == 0

    async def test_a_stream_that_was_forgotten_begins_beyond_every_offset(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.hello("ada", "c1", "me", NOW)
        await self.begin(store)
        await self.append(store, *(event(n) for n in range(90)))
        await store.sweep(NOW + LIMITS.remember_ms + 1)
        assert await self.begin(store) == NOW + 90
        assert await self.begin(store, user="ben", now=5) == NOW + 90
        assert await self.begin(store, user="eve", now=NOW + 200) == NOW + 200

    async def test_too_many_client_ids_lose_their_streams_and_never_their_last(self, store: Store) -> None:
        for n in range(6):
            async with store.transaction() as tx:
                await tx.hello("ada", f"c{n}", "me", NOW + n)
                await tx.take("ada", f"c{n}", "me", 0, 5)
                await tx.position("ada", f"client:c{n}", None, NOW)
        alive = [await store.newest("ada", f"client:c{n}") is not None for n in range(6)]
        assert alive == [False, False, False, True, True, True]
        async with store.transaction() as tx:
            assert [await tx.hello("ada", f"c{n}", "me", NOW) for n in range(6)] == [5] * 6

    async def test_rooms_are_joined_left_and_lapse(self, store: Store) -> None:
        async with store.transaction() as tx:
            for client_id in ("c1", "c2"):
                await tx.join("ada", client_id, "r1")
                await tx.join("ada", client_id, "r1")
            await tx.join("ada", "c1", "r2")
            await tx.join("ben", "c1", "r1")
            assert sorted(await tx.members("r1")) == ["ada", "ben"]
            # A phone that does not join again does not end what the laptop has joined.
            await tx.lapse("ada", "c1", ["r2"])
            assert sorted(await tx.members("r1")) == ["ada", "ben"]
            await tx.lapse("ada", "c2", [])
            assert await tx.members("r1") == ["ben"]
            assert await tx.members("r2") == ["ada"]
            assert (await tx.rooms("ada"), await tx.rooms("ben"), await tx.rooms("eve")) == (["r2"], ["r1"], [])
            assert await tx.joined("ada", "r1")
            await tx.leave("ada", "r1")
            await tx.leave("ada", "r1")
            assert not await tx.joined("ada", "r1")
            await tx.join("ada", "", "r3")
            assert await tx.members("r3") == []

    async def test_a_client_leaves_alone_and_hears_which_others_that_are_connected_have_joined(
        self, store: Store
    ) -> None:
        async with store.transaction() as tx:
            for n, client_id in enumerate(("c1", "c2", "c3", "c4")):
                await tx.hello("ada", client_id, f"owner {n}", NOW)
                await tx.join("ada", client_id, "r1")
            await tx.hello("ben", "c5", "owner of another", NOW)
            await tx.join("ben", "c5", "r1")
            await tx.disown("ada", "c3", "owner 2", NOW)
            await tx.disown("ada", "c4", "owner before", NOW)
            assert sorted(await tx.leave_client("ada", "c1", "r1", NOW)) == ["c2", "c4"]
            assert await tx.leave_client("ada", "c1", "r1", NOW + 1) == []
            assert not await tx.take("ada", "c3", "owner 2", 0, 1)
            await tx.hello("ada", "c3", "owner 5", NOW)
            assert sorted(await tx.leave_client("ada", "", "r1", NOW)) == ["c2", "c3", "c4"]
            assert await tx.joined("ada", "r1")
            assert sorted(await tx.members("r1")) == ["ada", "ben"]

    async def test_of_too_many_rooms_the_first_is_left(self, store: Store) -> None:
        async with store.transaction() as tx:
            for n in range(5):
                await tx.join("ada", "c1", f"r{n}")
            assert [await tx.joined("ada", f"r{n}") for n in range(5)] == [False, False, True, True, True]
            assert await tx.members("r0") == []

    async def test_of_too_many_rooms_those_that_are_to_be_kept_are_not_left(self, store: Store) -> None:
        async with store.transaction() as tx:
            for n in range(5):
                await tx.join("ada", "c1", f"r{n}", ["r0"])
            assert [await tx.joined("ada", f"r{n}") for n in range(5)] == [True, False, False, True, True]
            await tx.join("ada", "c1", "r5", [f"r{n}" for n in range(5)])
            assert [await tx.joined("ada", f"r{n}") for n in range(6)] == [True, False, False, True, True, True]

    async def test_two_processes_give_no_offset_twice_and_take_no_message_twice(self, make: Make) -> None:
        stores = [make(), make()]
        for store in stores:
            await store.open(LIMITS)
        await self.begin(stores[0])
        async with stores[0].transaction() as tx:
            await tx.hello("ada", "c1", "me", NOW)

        async def work(store: Store) -> tuple[list[int | None], int]:
            offsets: list[int | None] = []
            taken = 0
            for n in range(30):
                async with store.transaction() as tx:
                    taken += await tx.take("ada", "c1", "me", n, n + 1)
                    offsets += await tx.append([event(n)], NOW)
                await asyncio.sleep(0)
            return offsets, taken

        done = await asyncio.gather(*(work(store) for store in stores))
        given = [offset for offsets, _ in done for offset in offsets if offset is not None]
        assert sorted(given) == list(range(NOW + 1, NOW + 61))
        async with stores[0].transaction() as tx:
            last = await tx.hello("ada", "c1", "another", NOW)
        assert sum(taken for _, taken in done) == last
        for store in stores:
            await store.close()

    async def test_another_process_learns_of_events(self, make: Make) -> None:
        here, there = make(), make()
        await here.open(LIMITS)
        await there.open(LIMITS)
        await self.begin(there)
        async with asyncio.timeout(10):
            waiting = asyncio.create_task(here.changes())
            await asyncio.sleep(0.1)
            await self.append(there, event(1), event(2))
            changes = await waiting
        assert changes is None or [c for c in changes if isinstance(c, Change)] == [Change("ada", "user", NOW + 2)]
        await here.close()
        await there.close()

    async def test_any_text_is_kept(self, store: Store) -> None:
        await self.begin(store, user="ä😀'\"")
        frame = '{"type":"ü","data":{"x":"\\u0000😀\'\\"\\\\"}}'
        await self.append(store, NewEvent("ä😀'\"", "user", frame))
        assert (await store.events("ä😀'\"", "user", 0, 1))[0].frame == frame
