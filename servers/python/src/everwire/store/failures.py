"""Whether a database could not do its work, or was asked for what it does not take."""

import sqlite3

# A disk that is full, that fails, or that may only be read (https://www.sqlite.org/rescode.html).
_OF_SQLITE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}
# A disk that is full or fails, and a standby (PostgreSQL, appendix A). What else is in their classes, a statement can raise each time.
_OF_POSTGRES = {"53100", "58030", "25006"}


def is_of_storage(error: BaseException) -> bool:
    """Whether this error, or one that has led to it, says that there is no room or no right to store, until somebody sees to it."""
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(cause, "sqlite_errorcode", None)
        if isinstance(cause, sqlite3.Error) and code is not None and code & 0xFF in _OF_SQLITE:
            return True
        if getattr(cause, "sqlstate", None) in _OF_POSTGRES:
            return True
        cause = cause.__cause__
    return False
