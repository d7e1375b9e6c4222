"""Which rooms a user leaves who is in too many."""

from collections.abc import Collection, Sequence


def surplus(rooms: Sequence[str], most: int, keep: Collection[str]) -> list[str]:
    """Of more rooms than `most`, in the order in which they were joined, the first ones that are not to be kept."""
    return [room for room in rooms if room not in keep][: max(0, len(rooms) - most)]
