"""What no honest client sends. Each is answered with its code, and the others notice nothing."""

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from everwire import Limits
from everwire.metrics import NoMetrics
from everwire.testing import Client, Closed, Running

from .conftest import SECRET, Start

TEXT, BINARY, FIRST_FRAGMENT, FRAGMENT = 0x81, 0x82, 0x01, 0x80


class Raw:
    """A connection whose frames are written by hand, beside another client that must not notice."""

    def __init__(self, server: Running) -> None:
        self.server = server

    async def open(self) -> "Raw":
        self.witness = await self.server.connect("witness")
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        path = self.server.url("eve").split(str(self.server.port))[1]
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        self.writer.write(
            f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        await self.server.until_open(2)
        return self

    def send(self, first: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = bytes([first, 0x80 | size])
        elif size < 65536:
            head = bytes([first, 0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([first, 0x80 | 127]) + size.to_bytes(8, "big")
        self.writer.write(head + bytes(4) + payload)

    async def frame(self) -> tuple[int, bytes]:
        async with asyncio.timeout(10):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            return first & 0x0F, await self.reader.readexactly(size)

    async def expect_close(self, code: int) -> None:
        opcode, payload = await self.frame()
        assert opcode == 8
        assert int.from_bytes(payload[:2], "big") == code
        self.writer.close()
        await self.witness.settle()
        await self.server.until_open(1)
        await self.witness.close()


@pytest.fixture
async def raw(server: Running) -> Raw:
    return await Raw(server).open()


async def test_a_binary_frame_closes_with_1003(raw: Raw) -> None:
    raw.send(BINARY, b"{}")
    await raw.expect_close(1003)


async def test_text_that_is_not_utf8_closes_with_1007(raw: Raw) -> None:
    raw.send(TEXT, b'{"type":"\xff"}')
    await raw.expect_close(1007)


async def test_a_character_cut_in_two_by_fragments_is_fine(raw: Raw) -> None:
    raw.send(FIRST_FRAGMENT, b'{"type":"echo","data":{"x":"\xc3')
    raw.send(FRAGMENT, b'\xa9"}}')
    opcode, payload = await raw.frame()
    assert opcode == 1
    assert json.loads(payload)["data"] == {"x": "é"}
    raw.writer.close()


async def test_a_large_frame_without_a_number_closes_with_1009(raw: Raw) -> None:
    raw.send(TEXT, b"x" * 500_000)
    await raw.expect_close(1009)


async def test_a_frame_that_claims_to_be_endless_closes_with_1009(raw: Raw) -> None:
    raw.writer.write(bytes([TEXT, 0xFF, 0x7F, *[255] * 7, 0, 0, 0, 0]))
    await raw.expect_close(1009)


async def test_fragments_that_add_up_to_too_much_close_with_1009(raw: Raw) -> None:
    raw.send(FIRST_FRAGMENT, b"x" * 60_000)
    for _ in range(20):
        raw.send(0x00, b"x" * 60_000)
    await raw.expect_close(1009)


@pytest.mark.parametrize(
    ("first", "payload"), [(TEXT | 0x40, b"{}"), (0x83, b"{}"), (FRAGMENT, b"{}"), (0x09, b""), (0x89, b"x" * 126)]
)
async def test_violations_of_the_framing_close_with_1002(raw: Raw, first: int, payload: bytes) -> None:
    raw.send(first, payload)
    await raw.expect_close(1002)


@pytest.mark.parametrize("flood", [0x00, 0x89, 0x8A], ids=["empty fragments", "pings", "pongs"])
async def test_a_flood_of_frames_that_make_no_message_closes_with_1008(raw: Raw, flood: int) -> None:
    if flood == 0x00:
        raw.send(FIRST_FRAGMENT, b"")
    for _ in range(20_000):
        raw.send(flood, b"")
    while (frame := await raw.frame())[0] == 0x0A:
        pass
    assert (frame[0], int.from_bytes(frame[1][:2], "big")) == (8, 1008)
    raw.writer.close()
    await raw.witness.settle()
    await raw.server.until_open(1)
    await raw.witness.close()


async def test_connections_over_the_bound_of_the_process_are_refused_with_503(start: Start) -> None:
    async with start(Limits(connections=1)) as server:
        ada = await server.connect("ada")
        with pytest.raises(InvalidStatus) as refused:
            await server.connect("ben")
        assert refused.value.response.status_code == 503
        await ada.close()
        await server.until_open(0)
        await (await server.connect("ben")).close()


async def test_who_does_not_read_is_closed_when_too_many_bytes_wait_and_delays_nobody(start: Start) -> None:
    async with start(Limits(messages_per_minute=0, queue_bytes=200_000)) as server:
        eve, witness = await server.connect("eve"), await server.connect("witness")
        eve.socket.transport.pause_reading()
        async with asyncio.timeout(10):
            while server.wire.tell("eve", "large", {"text": "x" * 50_000}):
                await witness.settle()
        eve.cut()
        await witness.close()


async def test_random_bytes_after_the_handshake_harm_nobody(server: Running) -> None:
    witness = await server.connect("witness")
    noise = random.Random(7)
    for _ in range(20):
        eve = await server.connect("eve")
        eve.socket.transport.write(noise.randbytes(2000))
        eve.cut()
        await witness.settle()
    await server.until_open(1)
    await witness.close()


HOSTILE = [
    '{"type":"echo","data":{"x":' + "[" * 4000 + "]" * 4000 + "}}",
    "[" * 5000 + "]" * 5000,
    '{"a":' * 2000,
    '{"type":"echo","data":{"x":1e999}}',
    '{"type":"echo","data":{},"timestamp":' + "9" * 400 + "}",
    r'{"type":"echo","data":{"x":"\ud800"}}',
    '{"type":"' + "x" * 9000 + '"}',
    "\0",
    "{}",
    "",
]


async def test_text_that_is_json_but_hostile_is_answered_and_the_connection_stays(server: Running) -> None:
    eve = await server.connect("eve")
    for text in HOSTILE:
        await eve.send_text(text)
        error = (await eve.until("error"))["data"]
        assert error["code"] == "malformed"
        assert len(error["message"]) < 400
    await eve.settle()
    await eve.close()


UNREADABLE = [
    (r'{"type":"echo","data":{"x":"\ud83d"},%s}', "malformed"),
    (r'{%s,"type":"echo","data":{"x":"\udc00\ud83d"}}', "malformed"),
    ('{"type":"echo","data":{"x":' + "[" * 3000 + "]" * 3000 + "},%s}", "malformed"),
    ('{%s,"type":"echo","data":{"x":' + "[" * 3000, "malformed"),
    ('{"data":{"x":1e999},%s,"type":"echo"}', "malformed"),
    ('{"type":"echo","data":[],%s}', "malformed"),
    ('{"type":"echo","data":{"x":"' + "x" * 11_000 + '"},%s}', "too_large"),
    ('{"type":"echo","data":{"x":"' + "x" * 700_000 + '"},%s}', "too_large"),
    ('{%s,"type":"echo","data":{"x":"' + "ü" * 300_000 + '"}}', "too_large"),
    ('{"data":7,%s}', "malformed"),
]


async def test_what_cannot_be_read_is_refused_by_its_number_and_the_next_goes_on(server: Running) -> None:
    eve = await server.connect("eve")
    await eve.hello()
    seq = 0
    for text, code in UNREADABLE:
        seq += 1
        await eve.send_text(text.replace("%s", f'"seq":{seq}', 1))
        errors = [frame for frame in await eve.acknowledged(seq) if frame["type"] == "error"]
        assert [(error["data"]["code"], error["data"]["seq"]) for error in errors] == [(code, seq)]
        seq += 1
        await eve.send("echo", {"n": seq}, seq=seq)
        assert [frame["data"] for frame in await eve.acknowledged(seq)] == [{"n": seq}]
    await eve.close()


async def test_a_request_that_cannot_be_read_has_its_refusal_stored(server: Running) -> None:
    eve = await server.connect("eve")
    welcome = await eve.hello()
    await eve.send_text(r'{"data":{"x":"\ud83d"},"type":"echo","request":true,"seq":1}')
    await eve.acknowledged(1)
    stream = f"client:{eve.client_id}"
    eve.cut()
    again = await server.connect("eve")
    await again.hello(eve.client_id, {stream: welcome["streams"][stream]})
    error = await again.until("error")
    assert (error["data"]["seq"], error["data"]["code"], error["stream"]) == (1, "malformed", stream)
    await again.close()


@pytest.mark.parametrize(
    "numbers", ['"seq":0', '"seq":-1', '"seq":"1"', '"seq":1,"prev":1', '"seq":9007199254740992', '"seq":null']
)
async def test_numbers_that_are_none_close_with_4400(server: Running, numbers: str) -> None:
    for text in (f'{{"type":"echo","data":{{}},{numbers}}}', f'{{{numbers},"data":"\\ud800"}}'):
        eve = await server.connect("eve")
        await eve.hello()
        await eve.send_text(text)
        assert await eve.closed() == 4400


async def test_a_client_id_of_another_user_is_another_one(server: Running) -> None:
    ada, eve = await server.connect("ada"), await server.connect("eve")
    await ada.hello("k3Zq8vXw2LmN4pRt")
    await ada.send("note", {"text": "mine"}, seq=1)
    await ada.acknowledged(1)
    welcome = await eve.hello("k3Zq8vXw2LmN4pRt", {"user": 0, "client:k3Zq8vXw2LmN4pRt": 0})
    assert welcome["last"] == 0
    assert await eve.settle() == []
    await ada.send("note", {"text": "mine again"}, seq=2)
    await ada.acknowledged(2)
    await ada.close()
    await eve.close()


def sign(secret: str, claims: dict[str, Any], algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


async def test_forged_and_foreign_tokens_are_refused(server: Running) -> None:
    future = 4_000_000_000
    good = sign(SECRET, {"sub": "ada", "exp": future, "aud": "anyone", "iat": future})
    client = await server.connect("", good)
    await client.settle()
    await client.close()
    parts = good.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for token in [
        f"{none}.{parts[1]}.",
        f"{none}.{parts[1]}.{parts[2]}",
        f"{parts[0]}.{parts[1]}.",
        sign("another secret of the same length", {"sub": "ada", "exp": future}),
        sign(SECRET, {"sub": "ada", "exp": future}, "HS384"),
        sign(SECRET, {"sub": "ada", "exp": future}, "HS512"),
        sign(SECRET, {"sub": "ada", "exp": 1}),
        sign(SECRET, {"sub": "ada", "exp": future, "nbf": future - 1}),
        sign(SECRET, {"exp": future}),
        sign(SECRET, {"sub": "ada"}),
        sign(SECRET, {"sub": "", "exp": future}),
        jwt.api_jws.encode(json.dumps({"sub": 7, "exp": future}).encode(), SECRET),
        jwt.api_jws.encode(json.dumps({"sub": "ada", "exp": "soon"}).encode(), SECRET),
        sign(SECRET, {"sub": "x" * 129, "exp": future}),
        sign(SECRET, {"sub": "a\0da", "exp": future}),
        good[:-2],
        "..",
        "%00%ff",
        "",
    ]:
        eve = await Client.connect(server.url("", token))
        assert await eve.closed() == 1008, token


async def test_a_flood_of_numbered_messages_waits_and_is_told_that_the_link_is_alive(start: Start) -> None:
    async with start(Limits(messages_per_minute=20)) as server:
        eve = await server.connect("eve")
        await eve.hello()
        for seq in range(1, 41):
            await eve.send("echo", {}, seq=seq)
        await eve.acknowledged(20)
        # The next token comes after 3 s; meanwhile the same number is acknowledged again.
        async with asyncio.timeout(3):
            while (frame := await eve.frame())["type"] != "ack" or frame["data"]["seq"] < 20:
                pass
        assert frame["data"]["seq"] in (20, 21)
        eve.cut()


async def test_duplicates_are_charged_and_do_not_keep_the_database_from_others(start: Start) -> None:
    metrics = Counts()
    async with start(Limits(messages_per_minute=60), metrics=metrics) as server:
        eve, ben = await server.connect("eve"), await server.connect("ben")
        await eve.hello()
        await ben.hello()
        await eve.send("echo", {}, seq=1)
        await eve.acknowledged(1)
        started = time.monotonic()
        for _ in range(500):
            await eve.send("echo", {}, seq=1)
        for seq in range(1, 31):
            await ben.send("echo", {}, seq=seq)
            await ben.acknowledged(seq)
        duplicates = metrics.counted["duplicate"]
        assert 1 <= duplicates <= 60 + (time.monotonic() - started) + 1
        eve.cut()
        await ben.close()


class Counts(NoMetrics):
    """How many messages had each outcome."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, name: str, value: int = 1, /, **labels: str) -> None:
        if name == "ws_messages_total":
            self.counted[labels["outcome"]] += value


async def test_messages_over_the_limit_are_refused_and_pings_answered(start: Start) -> None:
    async with start(Limits(messages_per_minute=20)) as server:
        eve = await server.connect("eve")
        for _ in range(25):
            await eve.send("echo", {})
        codes = [frame["data"].get("code") for frame in await eve.settle()]
        assert codes == [None] * 20 + ["rate_limited"] * 5
        await eve.close()


async def test_a_refusal_names_its_message_and_comes_behind_what_those_before_it_lead_to(start: Start) -> None:
    async with start(Limits(messages_per_minute=20)) as server:
        for run in range(10):
            ada = await server.connect(f"ada-{run}")
            await ada.send("join_session", {"session_id": "s1"})
            for number in range(21):
                message = {"id": f"m{number}", "content": "hi"}
                await ada.send("message_sent", {"session_id": "s1" if number else "s2", "message": message})
                if number == 17:
                    await ada.send("echo", {})
            heard = [frame for frame in await ada.settle() if frame["type"] in ("error", "echo")]
            told = [(frame["type"], frame["data"].get("code"), frame["data"].get("message_id")) for frame in heard]
            limited = [("error", "rate_limited", f"m{number}") for number in (18, 19, 20)]
            assert told == [("error", "not_joined", "m0"), ("echo", None, None), *limited]
            sessions = [frame["data"]["session_id"] for frame in heard if frame["type"] == "error"]
            assert sessions == ["s2", "s1", "s1", "s1"]
            await ada.close()


async def test_typing_costs_messages_nothing_and_joins_over_the_limit_count_as_pings(start: Start) -> None:
    async with start(Limits(messages_per_minute=20)) as server:
        eve = await server.connect("eve")
        await eve.send("join_session", {"session_id": "s1"})
        for _ in range(30):
            await eve.send("user_typing", {"session_id": "s1", "isTyping": True})
        assert len(await eve.settle()) >= 15
        for _ in range(25):
            await eve.send("echo", {})
        echoed = [frame for frame in await eve.settle() if frame["type"] == "echo"]
        assert len(echoed) == 19
        await eve.send("join_session", {"session_id": "s2"})
        assert await eve.settle() == []
        await eve.close()


async def test_hellos_over_the_limit_close_with_1013(start: Start) -> None:
    async with start(Limits(messages_per_minute=2)) as server:
        eve = await server.connect("eve")
        for _ in range(2):
            await eve.hello()
        with pytest.raises(Closed) as closed:
            await eve.hello()
        assert closed.value.code == 1013


async def test_a_client_that_takes_nothing_is_cut_off(start: Start) -> None:
    async with start(Limits(messages_per_minute=0, send_timeout_s=1.0)) as server:
        eve = await server.connect("eve")
        await eve.hello()
        eve.socket.transport.pause_reading()
        for n in range(400):
            await server.wire.publish("eve", "large", {"n": n, "text": "x" * 50_000})
            if not server.wire.is_connected("eve"):
                break
        async with asyncio.timeout(10):
            await server.until_open(0)
        eve.cut()


async def test_more_connections_than_allowed_close_with_1013(start: Start) -> None:
    async with start(Limits(connections_per_user=2)) as server:
        first, second = await server.connect("eve"), await server.connect("eve")
        third = await server.connect("eve")
        assert await third.closed() == 1013
        await first.close()
        await second.close()


async def test_a_close_frame_with_an_invalid_code_is_a_violation(raw: Raw) -> None:
    raw.send(0x88, (1005).to_bytes(2, "big"))
    await raw.expect_close(1002)


async def test_a_frame_that_drips_in_and_never_ends_is_idle(start: Start) -> None:
    async with start(Limits(idle_timeout_s=0.5)) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        path = server.url("eve").split(str(server.port))[1]
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        writer.write(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        await server.until_open(1)
        writer.write(bytes([TEXT, 0x80 | 126, 4, 0, 0, 0, 0, 0]))

        async def drip() -> None:
            while True:
                writer.write(b" ")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        await server.until_open(0)
        dripping.cancel()
        writer.transport.abort()
