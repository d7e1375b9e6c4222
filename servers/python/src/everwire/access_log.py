"""Keeps tokens out of logs. Browsers cannot set headers on a WebSocket, so the token is in the URL, and servers log URLs."""

import logging
import re
from urllib.parse import unquote_plus

_PARAMETER = re.compile(r"((?:^|[?&\s\"'])([^?&=\s\"'#]{1,64})=)[^&\s\"'#]+")
_NAMES = ("token", "access_token")
LOGGERS = ("uvicorn.access", "uvicorn.error", "uvicorn.asgi", "uvicorn", "hypercorn.access", "websockets.server")


def mask(text: str) -> str:
    return _PARAMETER.sub(_mask_value, text)


def _mask_value(parameter: re.Match[str]) -> str:
    # A name may be written in escapes, and is the same.
    return f"{parameter[1]}***" if unquote_plus(parameter[2]).lower() in _NAMES else parameter[0]


class MaskTokens(logging.Filter):
    """Masks the value of `token=` in every record's message and arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = mask(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_masked(arg) for arg in record.args)
        elif isinstance(record.args, dict):
            record.args = {key: _masked(arg) for key, arg in record.args.items()}
        return True


def _masked(argument: object) -> object:
    if isinstance(argument, str):
        return mask(argument)
    if isinstance(argument, int | float | None):
        return argument
    # An object whose words hold a token, such as a request, is logged as its masked words.
    words = str(argument)
    masked = mask(words)
    return masked if masked != words else argument


def mask_tokens(*names: str) -> None:
    """Masks tokens in these loggers; calling it again changes nothing."""
    for name in names or LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, MaskTokens) for present in logger.filters):
            logger.addFilter(MaskTokens())
