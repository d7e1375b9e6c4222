"""Who is there: tokens, checked."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt


@dataclass(frozen=True, slots=True)
class Identity:
    user: str
    expires_at: float
    """Seconds since 1970. The connection is closed with 4401 then."""


class TokenRefused(Exception):
    """The token is missing, expired, not valid yet, or not ours. Says which, never the token."""


class Tokens:
    """Signs and checks tokens with HS256 and nothing else."""

    def __init__(self, secret: str, *, audience: str | None = None, life_s: int = 1800, leeway_s: float = 0) -> None:
        if not secret:
            raise ValueError("the secret is empty")
        self._secret = secret
        self._audience = audience
        self._life_s = life_s
        self._leeway_s = leeway_s

    def issue(self, user: str, *, life_s: float | None = None, **claims: Any) -> str:
        now = time.time()
        payload: dict[str, Any] = {
            "sub": user,
            "exp": int(now + (self._life_s if life_s is None else life_s)),
            **claims,
        }
        if self._audience is not None:
            payload["aud"] = self._audience
        return jwt.encode(payload, self._secret, algorithm="HS256")

    def check(self, token: str | None) -> Identity:
        if not token:
            raise TokenRefused("Missing authentication token")
        options: dict[str, Any] = {
            "require": ["exp", "sub"],
            "verify_iat": False,
            "verify_aud": self._audience is not None,
        }
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=self._audience,
                leeway=self._leeway_s,
                options=options,  # type: ignore[arg-type]
            )
        except jwt.ExpiredSignatureError:
            raise TokenRefused("Authentication token expired") from None
        except jwt.ImmatureSignatureError:
            raise TokenRefused("Authentication token not valid yet") from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise TokenRefused("Invalid authentication token") from None
        user = claims["sub"]
        # A NUL is a character to JSON and to SQLite, and none to PostgreSQL.
        if not isinstance(user, str) or not 0 < len(user.encode()) <= 128 or "\0" in user:
            raise TokenRefused("Invalid authentication token")
        return Identity(user, float(claims["exp"]))
