"""Which statements end a transaction. One that is lent to a handler has the effects of other messages in it."""

import re
import sqlite3

from ..report import MisuseError


class TransactionMisuseError(sqlite3.ProgrammingError, MisuseError):
    """A handler tries to end the transaction, or to use it beyond its own part of it."""


def not_yours(what: str) -> TransactionMisuseError:
    return TransactionMisuseError(
        f"{what} is not for handlers: Everwire commits what a handler has written together with its message"
    )


def too_late(what: str) -> TransactionMisuseError:
    return TransactionMisuseError(
        f"{what} came after the handler had ended, and with it its part of the transaction: await what a handler starts,"
        " or publish from outside of handlers"
    )


def undone() -> TransactionMisuseError:
    return TransactionMisuseError(
        "a statement of this handler has made SQLite roll back the whole transaction (`OR ROLLBACK`, `RAISE(ROLLBACK, …)`):"
        " the message is refused"
    )


def checked(sql: str) -> str:
    """The same text, if none of the statements in it ends the transaction."""
    if _MAY_END.search(sql) is not None:
        for statement in _NO_CODE.sub(" ", sql).split(";"):
            ending = _ENDING.match(statement)
            if ending is not None:
                raise not_yours(ending[1].upper())
    return sql


_MAY_END = re.compile(r"\b(?:COMMIT|END|ROLLBACK|ABORT|PREPARE)\b", re.IGNORECASE)
_ENDING = re.compile(
    r"\s*(COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b))\b", re.IGNORECASE
)
# Comments, strings, and names in quotation marks.
_NO_CODE = re.compile(
    r"--[^\n\r]*|/\*.*?\*/|\b[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|\"(?:\"\"|[^\"])*\""
    r"|(?<![\w$])(\$(?:[^\W\d]\w*)?\$).*?\1",
    re.DOTALL,
)
