"""One frame of a client, read."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from .numbers import is_number
from .scan import Found, scan

MAX_DEPTH = 128
HELLO_BYTES = 64 * 1024
NUMBERS_BYTES = 96
"""What a frame with a number may take beyond the limit of a message: `seq` and `prev` come on top of it."""


@dataclass(slots=True)
class Frame:
    """An envelope, or as much of one as could be read."""

    type: str | None
    data: dict[str, Any]
    seq: int = 0
    """0 if the frame has no number."""
    prev: int = 0
    request: bool = False
    size: int = 0
    problem: str | None = None
    """The code with which the frame is refused."""
    breaks_rules: bool = False
    """`seq` or `prev` is no number that may be there: the connection is closed with 4400."""

    @property
    def is_readable(self) -> bool:
        """Whether its type is more than a guess."""
        return self.problem in (None, "rate_limited")


def read(text: str, max_bytes: int) -> Frame:
    """Reads a frame of any size and shape."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > max_bytes + NUMBERS_BYTES and size > HELLO_BYTES:
        return _unreadable(text, size, "too_large")
    try:
        value = orjson.loads(text)
    except ValueError:
        return _unreadable(text, size, "malformed" if size <= max_bytes + NUMBERS_BYTES else "too_large")
    # Most frames have fewer brackets than the limit; only others are measured.
    if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(text):
        return _unreadable(text, size, "malformed")
    if type(value) is not dict:
        return Frame(None, {}, size=size, problem="malformed")
    seq = value.get("seq", _ABSENT)
    numbers = _numbers(seq, value.get("prev", _ABSENT)) if seq is not _ABSENT else (0, 0)
    if numbers is None:
        return Frame(None, {}, size=size, breaks_rules=True)
    kind = value.get("type")
    data = value.get("data", _EMPTY)
    problem = None
    if size > max_bytes and (size > max_bytes + NUMBERS_BYTES or not numbers[0]) and kind != "hello":
        problem = "too_large"
    elif type(data) is not dict:
        problem = "malformed"
    if type(kind) is not str or not kind or len(kind) > 128 or len(kind.encode()) > 128:
        kind, problem = None, problem or "malformed"
    return Frame(
        kind,
        data if type(data) is dict else {},
        numbers[0],
        numbers[1],
        bool(numbers[0]) and value.get("request") is True,
        size,
        problem,
    )


def _unreadable(text: str, size: int, problem: str) -> Frame:
    found = scan(text)
    if not found.has_seq:
        return Frame(found.type, {}, size=size, problem=problem)
    numbers = _numbers(found.seq, found.prev if found.has_prev else _ABSENT)
    if numbers is None:
        return Frame(None, {}, size=size, breaks_rules=True)
    return Frame(found.type, {}, numbers[0], numbers[1], found.request, size, problem)


def _numbers(seq: object, prev: object) -> tuple[int, int] | None:
    if not is_number(seq) or seq == 0:
        return None
    if prev is _ABSENT:
        return seq, seq - 1
    return (seq, prev) if is_number(prev) and prev < seq else None


def _too_deep(text: str) -> bool:
    depth = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        if bracket in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif bracket in "]}":
            depth -= 1
    return False


_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_ABSENT: Any = object()
_EMPTY: dict[str, Any] = {}

__all__ = ["Found", "Frame", "read"]
