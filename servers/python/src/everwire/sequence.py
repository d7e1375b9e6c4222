"""The table of cases of the protocol: what a message's numbers say about it."""

from enum import Enum


class Case(Enum):
    NEXT = "next"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    """A message before this one has not arrived."""
    OVERLAP = "overlap"
    """It follows a message that has been overtaken, which an honest client cannot say."""


def case(seq: int, prev: int, last: int) -> Case:
    if seq <= last:
        return Case.DUPLICATE
    if prev == last:
        return Case.NEXT
    return Case.MISSING if prev > last else Case.OVERLAP
