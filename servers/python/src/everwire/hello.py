"""`hello`, as it has to be."""

import re
from dataclasses import dataclass
from typing import Any

from .numbers import is_number
from .refusal import Refuse

VERSION = 1
MAX_STREAMS = 256
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class Hello:
    client_id: str
    positions: dict[str, int]


def read_hello(data: dict[str, Any]) -> Hello:
    """Reads the payload, or raises `Refuse` with `malformed` or `unsupported_version`."""
    versions = data.get("versions")
    if not isinstance(versions, list) or not all(is_number(version) for version in versions):
        raise Refuse("malformed", "`versions` must be an array of integers")
    client_id = data.get("client_id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise Refuse("malformed", "`client_id` must be 16 to 64 of A-Z a-z 0-9 _ -")
    streams = data.get("streams", {})
    if not isinstance(streams, dict) or len(streams) > MAX_STREAMS:
        raise Refuse("malformed", f"`streams` must be an object of {MAX_STREAMS} positions at most")
    if not all(0 < len(name.encode()) <= 128 and is_number(position) for name, position in streams.items()):
        raise Refuse("malformed", "`streams` must map names of 1 to 128 bytes to positions")
    # Last, so that a hello that makes no sense in any version is not mistaken for a newer one.
    if VERSION not in versions:
        raise Refuse("unsupported_version")
    return Hello(client_id, streams)
