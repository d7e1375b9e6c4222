"""JSON Web Tokens, HS256."""

import time

import jwt


class TokenRefused(Exception):
    """Who connects is nobody; the message is for them."""


class Tokens:
    def __init__(self, secret: str, life_s: int = 1800) -> None:
        if not secret:
            raise ValueError("tokens need a secret: set JWT_SECRET_KEY")
        self._secret = secret
        self._life_s = life_s

    def issue(self, user: str, life_s: int | None = None) -> str:
        expiry = int(time.time()) + (self._life_s if life_s is None else life_s)
        return jwt.encode({"sub": user, "exp": expiry}, self._secret, algorithm="HS256")

    def user(self, token: object) -> str:
        if not isinstance(token, str) or not token:
            raise TokenRefused("Missing authentication token")
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.ExpiredSignatureError:
            raise TokenRefused("Authentication token expired") from None
        except jwt.InvalidTokenError:
            raise TokenRefused("Invalid authentication token") from None
        user = claims["sub"]
        if not isinstance(user, str) or not user:
            raise TokenRefused("Invalid authentication token")
        return user
