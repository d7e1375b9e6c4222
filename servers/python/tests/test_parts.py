"""Small parts on their own."""

import logging

import pytest
from pydantic import BaseModel

from everwire import Context, Limits, Tokens
from everwire.access_log import MaskTokens, mask
from everwire.handlers import register
from everwire.hello import read_hello
from everwire.rate import Bucket, Rates
from everwire.refusal import Refuse
from everwire.token import TokenRefused

ID = "k3Zq8vXw2LmN4pRt"


def test_a_hello_is_read() -> None:
    hello = read_hello({"versions": [3, 1], "client_id": ID, "streams": {"user": 7}, "more": 1})
    assert (hello.client_id, hello.positions) == (ID, {"user": 7})
    assert read_hello({"versions": [1], "client_id": ID}).positions == {}


@pytest.mark.parametrize(
    "change",
    [
        {"versions": None},
        {"versions": 1},
        {"versions": ["1"]},
        {"versions": [1.0]},
        {"versions": [True]},
        {"client_id": "too short"},
        {"client_id": ID + "ä"},
        {"client_id": ID + "\n"},
        {"client_id": "x" * 65},
        {"client_id": 7},
        {"streams": []},
        {"streams": {"": 1}},
        {"streams": {"x" * 129: 1}},
        {"streams": {"user": -1}},
        {"streams": {"user": "1"}},
        {"streams": {str(n): n for n in range(257)}},
    ],
)
def test_a_hello_that_makes_no_sense_is_malformed_in_every_version(change: dict[str, object]) -> None:
    for versions in ([1], [2]):
        with pytest.raises(Refuse) as refused:
            read_hello({"versions": versions, "client_id": ID, "streams": {}} | change)
        assert refused.value.code == "malformed"


def test_versions_that_are_not_spoken_are_told_from_what_makes_no_sense() -> None:
    for versions in ([], [2], [0, 3]):
        with pytest.raises(Refuse) as refused:
            read_hello({"versions": versions, "client_id": ID})
        assert refused.value.code == "unsupported_version"


def test_a_bucket_fills_steadily() -> None:
    bucket = Bucket.full(60, now=100.0)
    assert [bucket.take(100.0) for _ in range(61)] == [True] * 60 + [False]
    assert bucket.wait(100.0) == pytest.approx(1.0)
    assert not bucket.take(100.9)
    assert bucket.take(101.0)
    assert not bucket.is_full(160.0)
    assert bucket.is_full(162.0)


def test_buckets_that_are_full_and_of_nobody_are_forgotten() -> None:
    rates = Rates(60)
    rates.bucket("ada", "message", 0.0).take(0.0)
    rates.bucket("ben", "message", 0.0)
    rates.sweep(0.5, connected=set())
    assert rates.bucket("ada", "message", 0.5).tokens < 60
    kept = rates.bucket("ada", "message", 0.5)
    rates.sweep(5.0, connected={"ada"})
    assert rates.bucket("ada", "message", 5.0) is kept
    rates.sweep(5.0, connected=set())
    assert rates.bucket("ada", "message", 5.0) is not kept


def test_a_token_of_another_audience_is_refused_if_one_is_wanted() -> None:
    secret = "s" * 32
    assert Tokens(secret).check(Tokens(secret, audience="a").issue("ada")).user == "ada"
    assert Tokens(secret, audience="a").check(Tokens(secret, audience="a").issue("ada")).user == "ada"
    for other in (Tokens(secret, audience="b"), Tokens(secret)):
        with pytest.raises(TokenRefused):
            Tokens(secret, audience="a").check(other.issue("ada"))


def test_a_refused_token_is_not_quoted() -> None:
    token = Tokens("x" * 32).issue("ada")
    with pytest.raises(TokenRefused) as refused:
        Tokens("y" * 32).check(token)
    assert token[:10] not in str(refused.value)
    assert refused.value.__cause__ is None


def test_tokens_are_masked_wherever_they_are() -> None:
    assert mask("GET /api/ws?token=eyJ.a.b&x=1 HTTP/1.1") == "GET /api/ws?token=***&x=1 HTTP/1.1"
    assert mask('"/ws?x=1&TOKEN=abc"') == '"/ws?x=1&TOKEN=***"'
    assert mask("a tokenizer=3") == "a tokenizer=3"
    assert mask("GET /api/ws?%74oken=eyJ.a.b HTTP/1.1") == "GET /api/ws?%74oken=*** HTTP/1.1"
    assert mask("/ws?x=1&access%5Ftoken=abc") == "/ws?x=1&access%5Ftoken=***"
    record = logging.LogRecord("n", 20, "p", 1, '%s - "%s" %d', ("1.2.3.4", "/ws?token=abc", 200), None)
    MaskTokens().filter(record)
    assert record.getMessage() == '1.2.3.4 - "/ws?token=***" 200'


class Model(BaseModel):
    n: int


async def test_a_payload_that_does_not_fit_says_where_and_not_what() -> None:
    async def handler(ctx: Context, model: Model) -> Model:
        return model

    registered = register("n", handler, joins=False)
    with pytest.raises(Refuse) as refused:
        await registered.run(None, {"n": "a secret"})  # type: ignore[arg-type]
    assert "`n`" in refused.value.message
    assert "secret" not in refused.value.message
    assert await registered.run(None, {"n": 7}) == {"n": 7}  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"window": 0}, {"window": 1025}, {"remember_ms": 1}, {"max_message_bytes": 10}])
def test_limits_that_break_the_protocol_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)
