"""What the reliable mode promises, through a WebSocket."""

import asyncio
import logging
import sqlite3
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from everwire import Context, Limits, SqliteStore, Tokens
from everwire.connection import _Sender
from everwire.testing import Closed, Running

from .conftest import SECRET, Start


def notes(tmp_path: Path) -> list[str]:
    with sqlite3.connect(tmp_path / "everwire.db") as db:
        rows = [row[0] for row in db.execute("SELECT text FROM notes ORDER BY id")]
    db.close()
    return rows


async def test_the_welcome_says_what_the_server_takes_and_how_long_it_remembers(server: Running) -> None:
    ada = await server.connect("ada")
    welcome = await ada.hello()
    assert (welcome["window"], welcome["max_bytes"], welcome["remember_ms"]) == (128, 10_240, 604_800_000)
    await ada.close()


async def test_a_message_is_processed_once_with_its_effects_and_its_events(server: Running, tmp_path: Path) -> None:
    ada = await server.connect("ada")
    await ada.hello()
    for _ in range(3):
        await ada.send("note", {"text": "one"}, seq=1)
    came = await ada.acknowledged(1) + await ada.settle()
    assert [frame["data"] for frame in came if frame["type"] == "noted"] == [{"text": "one"}]
    assert notes(tmp_path) == ["one"]
    await ada.close()


@pytest.mark.parametrize(
    ("text", "code"), [("refused", "not_allowed"), ("broken", "internal"), (7, "malformed"), ("twice", "internal")]
)
async def test_a_refused_message_leaves_nothing_and_the_next_goes_on(
    server: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: Any, code: str
) -> None:
    ada = await server.connect("ada")
    await ada.hello()
    # Its text is unique in the table: the database refuses the second one.
    await ada.send("note", {"text": "twice"}, seq=1)
    await ada.send("note", {"text": text}, seq=2)
    await ada.send("note", {"text": "next"}, seq=3)
    came = await ada.acknowledged(3) + await ada.settle()
    assert [(f["data"]["seq"], f["data"]["code"], f["data"]["about"]) for f in came if f["type"] == "error"] == [
        (2, code, "note")
    ]
    assert [f["data"]["text"] for f in came if f["type"] == "noted"] == ["twice", "next"]
    assert notes(tmp_path) == ["twice", "next"]
    assert "secret words" not in caplog.text
    await ada.close()


async def test_a_handler_that_hangs_fails_and_holds_nobody_up_for_ever(start: Start) -> None:
    async with start(Limits(messages_per_minute=0, handler_timeout_s=0.2)) as server:

        @server.wire.on("hang")
        async def hang(ctx: Context, data: dict[str, Any]) -> None:
            await asyncio.sleep(60)

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("hang", seq=1)
        assert [frame["data"]["code"] for frame in await ada.acknowledged(1)] == ["internal"]
        await ada.close()


async def test_what_runs_after_the_commit_runs_once_and_not_for_what_was_refused(start: Start) -> None:
    async with start() as server:
        ran: list[int] = []

        @server.wire.on("later")
        async def later(ctx: Context, data: dict[str, Any]) -> None:
            ctx.after_commit(lambda: ran.append(ctx.seq))
            ctx.after_commit(sys.exit)
            ctx.tell(ctx.user, "told", {"n": ctx.seq})
            if ctx.seq == 2:
                raise ValueError

        ada = await server.connect("ada")
        await ada.hello()
        for seq in (1, 2, 3, 3):
            await ada.send("later", seq=seq)
        came = await ada.acknowledged(3) + await ada.settle()
        assert ran == [1, 3]
        assert [frame["data"]["n"] for frame in came if frame["type"] == "told"] == [1, 3]
        await ada.close()


async def test_a_second_connection_with_the_client_id_ends_the_first(server: Running, tmp_path: Path) -> None:
    first, second = await server.connect("ada"), await server.connect("ada")
    await first.hello("k3Zq8vXw2LmN4pRt")
    await first.send("note", {"text": "one"}, seq=1)
    await first.acknowledged(1)
    assert (await second.hello("k3Zq8vXw2LmN4pRt"))["last"] == 1
    assert await first.closed() == 4410
    await second.close()


async def test_a_client_that_has_gone_to_another_process_is_fenced(start: Start, tmp_path: Path) -> None:
    async with start() as here, start() as there:
        first, second = await here.connect("ada"), await there.connect("ada")
        await first.hello("k3Zq8vXw2LmN4pRt")
        await second.hello("k3Zq8vXw2LmN4pRt")
        # It may have been closed already.
        with suppress(Closed):
            await first.send("note", {"text": "late"}, seq=1)
        assert await first.closed() == 4410
        await second.send("note", {"text": "one"}, seq=1)
        await second.acknowledged(1)
        assert notes(tmp_path) == ["one"]
        await second.close()


async def test_an_event_that_another_process_stores_arrives(start: Start) -> None:
    async with start() as here, start() as there:
        ada, ben = await here.connect("ada"), await there.connect("ben")
        await ada.hello()
        await ben.hello()
        for seq in range(1, 30):
            await ben.send("push", {"user": "ada", "n": seq}, seq=seq)
        got = [(await ada.until("pushed"))["data"]["n"] for _ in range(29)]
        assert got == list(range(1, 30))
        await ada.close()
        await ben.close()


async def test_the_users_other_devices_see_what_one_sends_and_that_one_does_not(server: Running) -> None:
    phone, laptop = await server.connect("ada"), await server.connect("ada")
    await phone.hello()
    await laptop.hello()
    for device in (phone, laptop):
        await device.send("join_session", {"session_id": "s1"}, seq=1)
        await device.acknowledged(1)
    for seq in (2, 3):
        await phone.send("message_sent", {"session_id": "s1", "message": {"id": f"m{seq}", "content": "hi"}}, seq=seq)
    await phone.acknowledged(3)
    got = [await laptop.until("message_received") for _ in range(2)]
    assert [frame["data"]["message"]["id"] for frame in got] == ["m2", "m3"]
    await server.wire.publish("ada", "both", {})
    event = await phone.until("both")
    # What it is not sent is no gap.
    assert event["offset"] - event["prev"] == 3
    assert event["prev"] == phone.welcome["streams"]["user"]
    phone.cut()
    again = await server.connect("ada")
    assert (await again.hello(phone.client_id, {"user": event["prev"]}))["streams"]["user"] == event["prev"]
    assert (await again.until("both"))["prev"] == event["prev"]
    await again.close()
    await laptop.close()


async def test_events_that_are_read_while_a_welcome_is_made_come_after_it(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await server.connect("ada")
    position = (await first.hello())["streams"]["user"]
    await first.close()
    store = server.wire.store
    events = store.events
    reading, welcomed = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        found = await events(*arguments)
        if found:
            reading.set()
            await welcomed.wait()
        return found

    monkeypatch.setattr(store, "events", slow)
    ada = await server.connect("ada")
    await server.until_open(1)
    # The connection carries the stream already, and its sender is reading this event.
    await server.wire.publish("ada", "n", {"n": 1})
    await reading.wait()
    await ada.send("hello", {"versions": [1], "client_id": first.client_id, "streams": {"user": position}})
    while not next(iter(server.wire.engine.peers)).client_id:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    welcomed.set()
    came = [await ada.frame() for _ in range(2)]
    assert [frame["type"] for frame in came] == ["welcome", "n"]
    assert (came[0]["data"]["streams"]["user"], came[1]["offset"]) == (position, position + 1)
    await ada.close()


async def test_an_event_behind_a_gap_comes_after_a_welcome_that_is_made_while_the_gap_is_sent(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await server.connect("ada")
    position = (await first.hello())["streams"]["user"]
    await first.close()
    store, send, events = server.wire.store, _Sender._send, server.wire.store.events
    forgotten, telling, welcomed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read(*arguments: Any) -> Any:
        await forgotten.wait()
        return await events(*arguments)

    async def tell(sender: _Sender, frame: str) -> None:
        await send(sender, frame)
        if '"type":"stream"' in frame:
            telling.set()
            await welcomed.wait()

    monkeypatch.setattr(store, "events", read)
    monkeypatch.setattr(_Sender, "_send", tell)
    ada = await server.connect("ada")
    await server.until_open(1)
    for n in (1, 2, 3):
        await server.wire.publish("ada", "n", {"n": n})
    await store.forget("ada", "user", position + 2)
    forgotten.set()
    await telling.wait()
    await ada.send("hello", {"versions": [1], "client_id": first.client_id, "streams": {"user": position}})
    while not next(iter(server.wire.engine.peers)).client_id:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    welcomed.set()
    came = [await ada.frame() for _ in range(3)]
    assert [frame["type"] for frame in came] == ["stream", "welcome", "n"]
    assert (came[1]["data"]["streams"]["user"], came[2]["offset"]) == (position + 2, position + 3)
    await ada.close()


async def test_a_stream_begins_beyond_every_offset_that_it_may_have_had(start: Start) -> None:
    before = time.time() * 1000
    async with start() as server:
        ada = await server.connect("ada")
        position = (await ada.hello())["streams"]["user"]
        assert before - 1 <= position <= time.time() * 1000
        for n in range(5000):
            if n % 1000 == 0:
                await server.wire.publish("ada", "n", {"n": n})
        await ada.close()
        await server.until_open(0)
        later = int(time.time() * 1000) + server.wire.limits.remember_ms + 1000
        await server.wire.store.sweep(later)
        again = await server.connect("ada")
        welcome = await again.hello(ada.client_id, {"user": position})
        assert welcome["last"] == 0
        assert welcome["streams"]["user"] > position + 4
        await again.close()


async def test_history_that_was_forgotten_while_a_client_is_away_is_named_as_missing(start: Start) -> None:
    async with start(Limits(history_events=100)) as server:
        ada = await server.connect("ada")
        position = (await ada.hello())["streams"]["user"]
        await ada.close()
        for n in range(300):
            await server.wire.publish("ada", "n", {"n": n})
        again = await server.connect("ada")
        welcome = await again.hello(ada.client_id, {"user": position})
        assert position + 100 <= welcome["streams"]["user"] <= position + 200
        first = await again.until("n")
        assert first["offset"] == welcome["streams"]["user"] + 1
        again.cut()


async def test_a_token_that_expires_closes_with_4401(server: Running) -> None:
    ada = await server.connect("ada", server.tokens.issue("ada", life_s=1))
    assert await ada.closed() == 4401


async def test_silence_closes_with_1000(start: Start) -> None:
    async with start(Limits(idle_timeout_s=0.5)) as server:
        ada = await server.connect("ada")
        assert await ada.closed() == 1000


async def test_a_store_that_fails_closes_with_1011_and_acknowledges_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await server.connect("ada")
    await ada.hello()
    store = server.wire.store
    assert isinstance(store, SqliteStore)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_in_thread", _raise_full)
        await ada.send("note", {"text": "lost"}, seq=1)
        assert await ada.closed() == 1011
    again = await server.connect("ada")
    assert (await again.hello(ada.client_id))["last"] == 0
    await again.send("note", {"text": "lost"}, seq=1)
    await again.acknowledged(1)
    await again.close()


async def _raise_full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_a_member_who_is_away_gets_what_was_said_and_one_who_left_does_not(server: Running) -> None:
    people = {name: await server.connect(name) for name in ("ada", "ben", "eve")}
    for client in people.values():
        await client.hello()
        await client.send("join_session", {"session_id": "s1"}, seq=1)
        await client.acknowledged(1)
    await people["eve"].send("leave_session", {"session_id": "s1"}, seq=2)
    await people["eve"].acknowledged(2)
    people["ben"].cut()
    await server.until_open(2)
    await people["ada"].send("message_sent", {"session_id": "s1", "message": {"id": "m1", "content": "hi"}}, seq=2)
    await people["ada"].acknowledged(2)
    ben = await server.connect("ben")
    await ben.hello(people["ben"].client_id, people["ben"].welcome["streams"])
    assert (await ben.until("message_received"))["data"]["message"]["user_id"] == "ada"
    assert await people["eve"].settle() == []
    await ben.close()


async def test_a_client_without_hello_is_served_at_most_once(server: Running) -> None:
    ada, ben = await server.connect("ada"), await server.connect("ben")
    for client in (ada, ben):
        await client.send("join_session", {"session_id": "s1"})
        await client.settle()
    await ada.send("user_typing", {"session_id": "s1", "isTyping": True})
    assert (await ben.until("typing_indicator"))["data"] == {"user_id": "ada", "session_id": "s1", "isTyping": True}
    await ada.send("message_sent", {"session_id": "s1", "message": {"id": "m1", "content": "hi"}})
    message = await ben.until("message_received")
    assert "offset" not in message
    assert [frame["type"] for frame in await ada.settle()] == []
    await server.wire.publish("ben", "notification", {"text": "n"})
    assert (await ben.until("notification"))["data"] == {"text": "n"}
    await ada.close()
    await ben.close()


async def test_tokens_are_masked_in_the_servers_logs(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("uvicorn.error").setLevel(logging.INFO)
        token = Tokens(SECRET).issue("ada")
        ada = await server.connect("ada", token)
        await ada.close()
    assert "token=***" in caplog.text
    assert token not in caplog.text


async def test_handlers_that_wait_are_committed_one_by_one_and_hold_up_no_hello(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everwire.writer._LONGEST_S", 0.05)
    async with start() as server:
        naps: list[str] = []

        @server.wire.on("nap")
        async def nap(ctx: Context, data: dict[str, Any]) -> None:
            await asyncio.sleep(0.1)
            naps.append(ctx.user)

        sleepers = [await server.connect(user) for user in ("ada", "ben")]
        for sleeper in sleepers:
            await sleeper.hello()
        for sleeper in sleepers:
            for seq in (1, 2, 3):
                await sleeper.send("nap", seq=seq)
            # One is missing before it.
            await sleeper.send("nap", seq=9, prev=8)
        carl = await server.connect("carl")
        await carl.hello()
        assert len(naps) < 6
        for sleeper in sleepers:
            acks = [(await sleeper.until("ack"))["data"]["seq"] for _ in range(3)]
            assert acks == [1, 2, 3]
            assert await sleeper.closed() == 4409
        assert naps == ["ada", "ben"] * 3
        await carl.close()


async def test_what_is_repeated_is_acknowledged_before_handlers_that_wait(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everwire.writer._LONGEST_S", 0.05)
    async with start() as server:
        is_acknowledged = asyncio.Event()

        @server.wire.on("nap")
        async def nap(ctx: Context, data: dict[str, Any]) -> None:
            await asyncio.sleep(0.1)

        @server.wire.on("wait")
        async def wait(ctx: Context, data: dict[str, Any]) -> None:
            await asyncio.wait_for(is_acknowledged.wait(), 1)

        ada, ben = await server.connect("ada"), await server.connect("ben")
        await ada.hello()
        await ada.send("note", {"text": "one"}, seq=1)
        await ada.acknowledged(1)
        await server.until_open(2)
        (peer,), (other,) = (server.wire.engine.connections(user) for user in ("ada", "ben"))
        async with server.wire.store.transaction():
            # What comes behind a transaction that waits comes together.
            await ben.send("nap")
            while not other.queued or other.inbox:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await ada.send("note", {"text": "one"}, seq=1)
            await ada.send("nap")
            await ada.send("wait", seq=2)
            while len(peer.inbox) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await ada.until("ack"))["data"]["seq"] == 1
        is_acknowledged.set()
        assert [frame for frame in await ada.acknowledged(2) if frame["type"] == "error"] == []
        await ada.close()
        await ben.close()


async def test_a_hello_that_would_be_answered_too_late_is_given_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everwire.keeper._HELLO_WAITS_S", 0.1)
    async with start() as server:

        @server.wire.on("nap")
        async def nap(ctx: Context, data: dict[str, Any]) -> None:
            await asyncio.sleep(2)

        ada = await server.connect("ada")
        await ada.hello()
        await ada.send("nap", seq=1)
        ben = await server.connect("ben")
        await ben.send("hello", {"versions": [1], "client_id": "b" * 20, "streams": {}})
        assert await ben.closed() == 1013
        await ada.acknowledged(1)
        await ada.close()
