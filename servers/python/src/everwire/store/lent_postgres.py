"""The connection to PostgreSQL that handlers are lent: its transaction is the library's to end."""

from typing import Any

from .lent import checked, not_yours


class LentPostgres:
    """An `asyncpg.Connection` in all but what would end its transaction, with the effects of other messages in it: that raises
    `TransactionMisuseError`. A part that is undone alone is `async with db.transaction():`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        given = getattr(self._connection, name)
        if name in _NOT_YOURS:
            raise not_yours(f"{name}()")
        if name not in _STATEMENTS:
            return given

        def run(sql: str, *values: Any, **options: Any) -> Any:
            return given(checked(sql), *values, **options)

        return run


_NOT_YOURS = frozenset({"close", "terminate", "reset"})
_STATEMENTS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "cursor", "prepare"})
