"""Frames that the server writes."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from .hello import VERSION
from .limits import Limits
from .report import MisuseError


class EventError(ValueError, MisuseError):
    """An event of the application's that no client could take for one."""


def event(kind: str, data: Mapping[str, Any]) -> str:
    """An event of the application's. Raises `EventError` for what no client can take for one, and `TypeError` for what is no JSON."""
    if not isinstance(kind, str) or not 0 < len(kind.encode(errors="replace")) <= MAX_TYPE_BYTES:
        raise EventError(f"the type of an event is a string of 1 to {MAX_TYPE_BYTES} bytes")
    if kind in OF_THE_PROTOCOL:
        raise EventError(f"`{kind}` has a meaning in the protocol: name the event otherwise")
    if kind in OF_CLIENTS:
        raise EventError(f"clients tell `{kind}` by themselves: name the event otherwise")
    if not isinstance(data, Mapping):
        raise EventError(f"the data of an event is a mapping, and not {type(data).__name__}")
    return envelope(kind, data)


def check_name(what: str, name: str) -> None:
    """Raises `EventError` for what cannot name a user or a stream."""
    try:
        is_well = isinstance(name, str) and 0 < len(name.encode()) <= MAX_NAME_BYTES and "\0" not in name
    except UnicodeEncodeError:
        is_well = False
    if not is_well:
        given = "another string" if isinstance(name, str) else type(name).__name__
        raise EventError(
            f"a {what} is named by a string of 1 to {MAX_NAME_BYTES} bytes without NUL, and not by {given}"
        )


def envelope(kind: str, data: Mapping[str, Any]) -> str:
    """Raises `TypeError` for what is no JSON."""
    return orjson.dumps({"type": kind, "data": data, "timestamp": int(time.time() * 1000)}).decode()


def stored(frame: str, stream: str, offset: int, position: int) -> str:
    """An event with its place; `prev` where the offset does not follow the position."""
    prev = "" if offset == position + 1 else f'"prev":{position},'
    return f'{{"stream":{_string(stream)},"offset":{offset},{prev}{frame[1:]}'


def ack(seq: int) -> str:
    return f'{{"type":"ack","data":{{"seq":{seq}}}}}'


def pong() -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'{{"type":"pong","data":{{"timestamp":"{now}"}}}}'


def error(code: str, message: str, about: str | None, seq: int = 0, named: Mapping[str, str] | None = None) -> str:
    data: dict[str, Any] = {"message": message, "code": code}
    if about is not None:
        data["about"] = about
    if seq:
        data["seq"] = seq
    return envelope("error", data | dict(named or {}))


def names(data: Mapping[str, Any]) -> dict[str, str]:
    """What a message without a number has named, for the `error` about it: its session or match, and its id."""
    inner = data.get("message")
    own = inner.get("id") if isinstance(inner, dict) else None
    found = {
        "session_id": data.get("session_id"),
        "match_id": data.get("match_id"),
        "message_id": data.get("client_id") if own is None else own,
    }
    return {name: value for name, value in found.items() if isinstance(value, str) and _is_name(value)}


def named_part(data: Mapping[str, Any]) -> dict[str, Any]:
    """A payload with the same names, and nothing else."""
    found = names(data)
    return found | {"client_id": found.pop("message_id", None)}


def _is_name(value: str) -> bool:
    return len(value.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME_BYTES


_LONGEST_NAME_BYTES = 128


def reply(seq: int, result: Mapping[str, Any]) -> str:
    return envelope("reply", {"seq": seq, "result": result})


def stream(name: str, offset: int) -> str:
    return envelope("stream", {"stream": name, "offset": offset})


def welcome(epoch: int, last: int, limits: Limits, positions: Mapping[str, int]) -> str:
    return envelope(
        "welcome",
        {
            "version": VERSION,
            "epoch": epoch,
            "last": last,
            "window": limits.window,
            "max_bytes": limits.max_message_bytes,
            "remember_ms": limits.remember_ms,
            "streams": positions,
        },
    )


MAX_TYPE_BYTES = 128
MAX_NAME_BYTES = 128
OF_THE_PROTOCOL = frozenset({"hello", "welcome", "ack", "stream", "reply", "receipt"})
# What clients tell of themselves by these names, so that an event of a server's never reaches its handlers.
OF_CLIENTS = frozenset({"open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"})


def _string(text: str) -> str:
    return orjson.dumps(text).decode()
