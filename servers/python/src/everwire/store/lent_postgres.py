"""The connection to PostgreSQL that handlers are lent: its transaction is the library's to end."""

from typing import Any

from .endings import checked, not_yours


class LentPostgres:
    """An `asyncpg.Connection` in all but what would end its transaction, with the effects of other messages in it: that raises
    `TransactionMisuseError`, and so does all that comes after the handler. A part that is undone alone is
    `async with db.transaction():`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_over = False

    def take_back(self) -> None:
        self._is_over = True

    def __getattr__(self, name: str) -> Any:
        if self._is_over:
            raise not_yours("a connection beyond its handler")
        given = getattr(self._connection, name)
        if name in _NOT_YOURS:
            raise not_yours(f"{name}()")
        if name not in _STATEMENTS:
            return given

        def run(*values: Any, **options: Any) -> Any:
            sql = values[0] if values else options.get("query", options.get("command"))
            if isinstance(sql, str):
                checked(sql)
            return given(*values, **options)

        return run


_NOT_YOURS = frozenset({"close", "terminate", "reset"})
_STATEMENTS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "cursor", "prepare"})
