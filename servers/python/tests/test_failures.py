"""Which errors say that nothing can be stored, whatever it is."""

import asyncpg
import pytest

from everwire import StoreError
from everwire.store.failures import is_of_storage


def _caused_by(state: str) -> StoreError:
    error = StoreError("the transaction failed")
    error.__cause__ = asyncpg.PostgresError.new({"C": state, "M": "secret words"})
    return error


@pytest.mark.parametrize("state", ["53100", "58030", "25006"])
def test_a_disk_that_is_full_or_fails_and_a_standby_take_nothing(state: str) -> None:
    assert is_of_storage(_caused_by(state))


@pytest.mark.parametrize("state", ["53000", "53200", "53300", "53400", "58000", "58P01"])
def test_what_a_statement_asks_too_much_of_takes_other_messages(state: str) -> None:
    assert not is_of_storage(_caused_by(state))
