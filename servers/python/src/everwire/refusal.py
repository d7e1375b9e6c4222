"""What a handler raises to refuse a message."""


class Refuse(Exception):
    """Answers the message with `error` and this code. The message counts as processed: it never comes again.

    Everything that the handler did in its transaction before is rolled back.
    """

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or _WORDS.get(code, code.replace("_", " "))


_WORDS = {
    "malformed": "the message cannot be read",
    "unknown_type": "there is no handler for this type",
    "not_joined": "join the session first",
    "rate_limited": "Rate limit exceeded",
    "too_large": "Message too large",
    "internal": "the server could not process the message",
    "unsupported_version": "this server speaks version 1 only",
}
