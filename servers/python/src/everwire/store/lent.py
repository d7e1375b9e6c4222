"""The connection to SQLite that handlers are lent: its transaction is the library's to end."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, overload

from .endings import checked, not_yours, too_late, undone

_Cursor = TypeVar("_Cursor", bound=sqlite3.Cursor)


class Turn:
    """One handler's part of the transaction."""


_turn: ContextVar[Turn | None] = ContextVar("everwire_turn", default=None)


class LentConnection(sqlite3.Connection):
    """`with db:` is a part of the transaction that is undone alone. What would end the transaction, with the effects of other
    messages in it, raises `TransactionMisuseError`, and so does what a handler has started and not waited for."""

    _current: Turn | None = None

    def begin_turn(self) -> None:
        """From here on it is lent to the task that calls this, and to those that it starts."""
        self._current = Turn()
        _turn.set(self._current)

    def end_turn(self) -> None:
        if _turn.get() is self._current:
            _turn.set(None)
        self._current = None

    def check_turn(self) -> None:
        turn = _turn.get()
        if turn is None:
            return
        if turn is not self._current:
            raise too_late("a statement")
        if not self.in_transaction:
            raise undone()

    def commit(self) -> None:
        raise not_yours("commit()")

    def rollback(self) -> None:
        raise not_yours("rollback()")

    def close(self) -> None:
        raise not_yours("close()")

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        raise not_yours("executescript(), which commits first,")

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.check_turn()
        return super().execute(checked(sql), parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        self.check_turn()
        return super().executemany(checked(sql), parameters)

    @overload
    def cursor(self, factory: None = None) -> sqlite3.Cursor: ...
    @overload
    def cursor(self, factory: Callable[[sqlite3.Connection], _Cursor]) -> _Cursor: ...
    def cursor(self, factory: Callable[[sqlite3.Connection], sqlite3.Cursor] | None = None) -> sqlite3.Cursor:
        self.check_turn()
        return super().cursor(factory or LentCursor)

    def __enter__(self) -> Self:
        self.check_turn()
        super().execute(f"SAVEPOINT {_PART}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]:
        if error is not None:
            # Some failures of SQLite have undone everything already.
            with suppress(sqlite3.OperationalError):
                super().execute(f"ROLLBACK TO {_PART}")
                super().execute(f"RELEASE {_PART}")
            return False
        super().execute(f"RELEASE {_PART}")
        return False


class LentCursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        self._check_turn()
        super().execute(checked(sql), parameters)
        return self

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        self._check_turn()
        super().executemany(checked(sql), parameters)
        return self

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        raise not_yours("executescript(), which commits first,")

    def _check_turn(self) -> None:
        if isinstance(self.connection, LentConnection):
            self.connection.check_turn()


_PART = "everwire_part"
