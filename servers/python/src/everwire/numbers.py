"""Sequence numbers, offsets and positions: integers that every JSON reader keeps exact."""

from typing import TypeGuard

MAX_NUMBER = 2**53 - 1


def is_number(value: object) -> TypeGuard[int]:
    """Whether this is an integer from 0 to 2^53 - 1; `True` is no number although Python counts it as one."""
    return type(value) is int and 0 <= value <= MAX_NUMBER
