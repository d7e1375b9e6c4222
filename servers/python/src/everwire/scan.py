"""Finds the numbers of an envelope that cannot be read as a whole.

A frame may be broken, too deep, too large or hold ill-formed strings, and still show its number. Its sender would send it
again on every connection if it were not refused under that number. The scan counts brackets and skips strings: it
neither recurses nor builds anything, whatever the frame holds.
"""

import json
import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n,:]++)
    | (?P<string>"(?:[^"\\]++|\\.)*+")
    | (?P<brackets>[\[\]{}]++)
    | (?P<scalar>[^ \t\r\n,:"\[\]{}]++)
    | (?P<unterminated>".*+)
    """,
    re.VERBOSE | re.DOTALL,
)

_INSIDE = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)


@dataclass(slots=True)
class Found:
    """Top-level fields as they were written; `None` where a field is absent or cannot be read."""

    has_seq: bool = False
    seq: object = None
    has_prev: bool = False
    prev: object = None
    request: bool = False
    type: str | None = None


def scan(text: str) -> Found:
    found = Found()
    depth = 0
    # The key that the next value at the top level belongs to, and whether a colon has come.
    key: str | None = None
    colon = False
    at = 0
    while at < len(text):
        if depth > 1:
            # Nothing in here is a field of the envelope; only the brackets count.
            inside = _INSIDE.match(text, at)
            at = inside.end() if inside else at
        token = _TOKEN.match(text, at)
        if token is None:
            return found
        at = token.end()
        kind = token.lastgroup
        if kind == "brackets":
            for bracket in token[0]:
                if bracket in "[{":
                    if depth == 0 and bracket == "[":
                        return found
                    if depth == 1 and colon and key is not None:
                        _take(found, key, _STRUCTURE)
                    depth += 1
                else:
                    depth -= 1
                    if depth <= 0:
                        return found
            key, colon = None, False
        elif depth == 0:
            if kind != "space":
                return found
        elif depth == 1:
            if kind == "space":
                separators = token[0].strip(" \t\r\n")
                if separators.endswith(":"):
                    colon = key is not None
                elif separators:
                    key, colon = None, False
            elif kind == "unterminated":
                return found
            elif colon and key is not None:
                _take(found, key, token[0])
                key, colon = None, False
            else:
                key, colon = (_key(token[0]) if kind == "string" else None), False
    return found


_STRUCTURE = "["


def _key(written: str) -> str | None:
    if "\\" not in written:
        return written[1:-1]
    value = _value(written)
    return value if isinstance(value, str) else None


def _value(written: str) -> object:
    # Long ones are neither numbers nor types, and an integer of a megabyte takes long to read.
    if len(written) > 1024:
        return None
    try:
        return json.loads(written, strict=False)
    except ValueError:
        return None


def _take(found: Found, key: str, written: str) -> None:
    # As with every JSON reader, of two fields with the same name the later one counts.
    if key == "seq":
        found.has_seq, found.seq = True, _value(written)
    elif key == "prev":
        found.has_prev, found.prev = True, _value(written)
    elif key == "request":
        found.request = written == "true"
    elif key == "type":
        value = _value(written)
        found.type = value if isinstance(value, str) and 1 <= len(value) <= 128 and value.isprintable() else None
