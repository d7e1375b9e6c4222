import pytest

from everwire.envelope import Frame, read
from everwire.sequence import Case, case

MAX = 10_240


def numbers(text: str) -> tuple[int, int, str | None]:
    frame = read(text, MAX)
    return frame.seq, frame.prev, frame.problem


def test_an_envelope_is_read() -> None:
    frame = read('{"type":"echo","data":{"a":[1]},"seq":7,"request":true,"timestamp":1,"more":{}}', MAX)
    assert (frame.type, frame.data, frame.seq, frame.prev, frame.request) == ("echo", {"a": [1]}, 7, 6, True)
    assert read('{"type":"echo"}', MAX) == Frame("echo", {}, size=15)


@pytest.mark.parametrize("seq", ["0", "-1", "1.5", "1.0", "1e3", '"1"', "null", "[1]", "true", str(2**53)])
def test_a_sequence_number_that_is_none_breaks_the_rules(seq: str) -> None:
    assert read(f'{{"type":"echo","data":{{}},"seq":{seq}}}', MAX).breaks_rules
    assert read(f'{{"type":"echo","seq":{seq},"data":{{"x":"\\ud800"}}}}', MAX).breaks_rules


@pytest.mark.parametrize("prev", ["7", "8", "-1", '"6"', "null", "6.0"])
def test_a_prev_that_is_none_breaks_the_rules(prev: str) -> None:
    assert read(f'{{"type":"echo","data":{{}},"seq":7,"prev":{prev}}}', MAX).breaks_rules


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "nul",
        "[]",
        '{"a":',
        '{"type":"echo","data":{"x":1e999}}',
        '{"type":"echo","data":{"x":"\\ud800"}}',
        '{"data":{}}',
        '{"type":7}',
    ],
)
def test_what_is_no_envelope_is_malformed(text: str) -> None:
    assert numbers(text) == (0, 0, "malformed")


def test_what_is_too_deep_is_malformed_under_its_number() -> None:
    deep = "[" * 4000 + "]" * 4000
    assert numbers(f'{{"data":{{"x":{deep}}},"type":"echo","seq":4}}') == (4, 3, "malformed")
    many = ",".join(["[]"] * 200)
    assert numbers(f'{{"data":{{"x":[{many}]}},"type":"echo","seq":4}}') == (4, 3, None)


def test_what_is_too_large_is_so_under_its_number() -> None:
    for size in (MAX + 200, 70_000, 900_000):
        text = "x" * size
        assert numbers(f'{{"data":{{"x":"{text}"}},"type":"echo","seq":4,"prev":1}}') == (4, 1, "too_large")
        assert numbers(f'{{"data":{{"x":"{text}"}},"type":"echo"}}') == (0, 0, "too_large")
    wide = "ü" * (MAX // 2 + 100)
    assert numbers(f'{{"data":{{"x":"{wide}"}},"type":"echo","seq":4}}')[2] == "too_large"


def test_a_number_comes_on_top_of_the_size_of_a_message() -> None:
    body = '"type":"echo","data":{"x":"%s"}'
    body %= "x" * (MAX - len(body) - 2 + 2)
    assert len(body) + 2 == MAX
    assert numbers("{" + body + "}") == (0, 0, None)
    assert numbers("{" + body + f',"seq":{2**53 - 1},"prev":{2**53 - 2}}}') == (2**53 - 1, 2**53 - 2, None)


def test_a_hello_may_be_larger() -> None:
    streams = ",".join(f'"{"s" * 100}{n}":{2**52}' for n in range(256))
    assert numbers(f'{{"type":"hello","data":{{"streams":{{{streams}}}}}}}') == (0, 0, None)


def test_every_message_is_one_of_four_cases() -> None:
    assert case(6, 5, 5) is Case.NEXT
    assert case(9, 5, 5) is Case.NEXT
    assert case(5, 4, 5) is Case.DUPLICATE
    assert case(1, 0, 5) is Case.DUPLICATE
    assert case(7, 6, 5) is Case.MISSING
    assert case(7, 3, 5) is Case.OVERLAP
