"""Options from the environment, under MasterX's names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .limits import Limits
from .token import Tokens


class EnvironmentRefused(ValueError):
    """A variable has a value that cannot be taken. Names the variable; the value of a secret is never quoted."""


@dataclass(frozen=True, slots=True)
class Environment:
    tokens: Tokens
    limits: Limits
    allow_origins: list[str] | None
    heartbeat_interval_s: float
    """For the page: how often its client should send a ping."""


def from_environment(environ: Mapping[str, str] | None = None) -> Environment:
    """Reads the variables below; empty ones count as not there.

    | variable | meaning | default |
    |---|---|---|
    | `JWT_SECRET_KEY`, `EVERWIRE_JWT_SECRET` | signs and checks tokens | required |
    | `JWT_ALGORITHM` | must be `HS256` | `HS256` |
    | `JWT_ACCESS_TOKEN_EXPIRE_MINUTES` | life of the tokens that the application issues | 30 |
    | `WS_HEARTBEAT_INTERVAL` | seconds between a client's pings | 30 |
    | `WS_MAX_MESSAGE_SIZE` | bytes of a message | 10 240 |
    | `WS_CONNECTION_TIMEOUT` | seconds of silence until a connection is closed; longer than the heartbeat | 300 |
    | `WS_RATE_LIMIT_MESSAGES` | messages of a user in a minute; 0 for no limit | 100 |
    | `CORS_ORIGIN` | pages that may connect, separated by commas; `*` for any | any |
    """
    values = {
        name: value.strip() for name, value in (os.environ if environ is None else environ).items() if value.strip()
    }
    secret = values.get("JWT_SECRET_KEY") or values.get("EVERWIRE_JWT_SECRET")
    if not secret:
        raise EnvironmentRefused("JWT_SECRET_KEY is missing")
    if values.get("JWT_ALGORITHM", "HS256") != "HS256":
        raise EnvironmentRefused("JWT_ALGORITHM must be HS256: other algorithms are not taken")
    minutes = _number(values, "JWT_ACCESS_TOKEN_EXPIRE_MINUTES", 30, least=1)
    heartbeat = _number(values, "WS_HEARTBEAT_INTERVAL", 30, least=1)
    idle = _number(values, "WS_CONNECTION_TIMEOUT", 300, least=1)
    if idle <= heartbeat:
        raise EnvironmentRefused("WS_CONNECTION_TIMEOUT must be longer than WS_HEARTBEAT_INTERVAL")
    limits = Limits(
        max_message_bytes=_number(values, "WS_MAX_MESSAGE_SIZE", 10_240, least=256),
        messages_per_minute=_number(values, "WS_RATE_LIMIT_MESSAGES", 100, least=0),
        idle_timeout_s=float(idle),
    )
    origins = [origin.strip().rstrip("/") for origin in values.get("CORS_ORIGIN", "*").split(",")]
    allow_origins = None if "*" in origins else origins
    return Environment(Tokens(secret, life_s=minutes * 60), limits, allow_origins, float(heartbeat))


def _number(values: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    written = values.get(name)
    if written is None:
        return default
    try:
        number = int(written)
    except ValueError:
        raise EnvironmentRefused(f"{name} must be an integer") from None
    if number < least:
        raise EnvironmentRefused(f"{name} must be {least} at least")
    return number
