"""Numbers are found wherever they are, in whatever cannot be read."""

import json
import time

import pytest

from everwire.scan import scan


@pytest.mark.parametrize(
    "text",
    [
        r'{"type":"echo","seq":7,"prev":3,"request":true,"data":{"x":"\ud83d"}}',
        r'{"data":{"x":"\ud83d"},"request":true,"prev":3,"seq":7,"type":"echo"}',
        '{"data":' + "[" * 5000 + "]" * 5000 + ',"type":"echo","seq":7,"prev":3,"request":true}',
        '{"type":"echo","seq":7,"prev":3,"request":true,"data":{"broken',
        '{"type":"echo","seq":7,"prev":3,"request":true,"data":nonsense}',
        '{"type":"echo" "x" ,"seq" : 7 , "prev": 3 ,"request":true,"data":{}',
        r'{"\u0073eq":7,"prev":3,"request":true,"type":"echo","data":{"a":"}{\"]["}',
        '{"data":{"seq":1,"prev":0},"data":[{"seq":2}],"seq":1,"seq":7,"prev":3,"request":true,"type":"echo"',
    ],
)
def test_numbers_are_found_before_and_after_what_cannot_be_read(text: str) -> None:
    found = scan(text)
    assert (found.seq, found.prev, found.request, found.type) == (7, 3, True, "echo")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[",
        '[{"seq":1}]',
        '"seq":1',
        '{"data":{"seq":1}}',
        '{"x":"\\"seq\\":1',
        '{}"seq":1',
        "nul",
        '{"seq"',
        '{"seq":',
        "}{",
    ],
)
def test_what_is_no_field_of_an_envelope_is_not_found(text: str) -> None:
    assert not scan(text).has_seq


def test_a_number_that_is_none_is_found_as_such() -> None:
    for written in ["1.5", '"1"', "null", "{}", "[1]", "9" * 5000]:
        found = scan(f'{{"seq":{written},"data":{{')
        assert found.has_seq
        assert found.seq != 1


def test_a_megabyte_of_anything_is_read_in_a_moment() -> None:
    for filler in [
        "[" * 10**6,
        "[]" * 5 * 10**5,
        '"' + "\\\\" * 5 * 10**5 + '"',
        '"a",' * 25 * 10**4,
        " " * 10**6,
        '{"a":' * 2 * 10**5,
    ]:
        started = time.process_time()
        scan('{"seq":7,"data":' + filler)
        scan('{"seq":7,' + filler)
        assert time.process_time() - started < 2, filler[:4]


def test_a_frame_that_can_be_read_has_the_numbers_that_a_json_reader_finds() -> None:
    values: list[dict[str, object]] = [
        {"seq": 5, "data": {"seq": 1}},
        {"type": "ü\n", "prev": 2, "seq": 9},
        {"a": [{"seq": 3}], "b": "\\"},
    ]
    for value in values:
        for escape in (True, False):
            found = scan(json.dumps(value, ensure_ascii=escape, indent=1))
            assert found.seq == value.get("seq")
            assert found.has_seq == ("seq" in value)
