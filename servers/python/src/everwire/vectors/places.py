"""Which offsets of the server stand for those in a file. Servers begin streams where they like, and may skip offsets."""

from typing import Any


class Places:
    def __init__(self) -> None:
        self._known: dict[str, dict[int, int]] = {}

    def learn(self, stream: str, expected: int, actual: int) -> bool:
        """Whether the server's number can stand for the file's, with what it has said before."""
        known = self._known.setdefault(stream, {})
        if expected in known:
            return known[expected] == actual
        fits = all((other < expected) == (place < actual) and place != actual for other, place in known.items())
        known[expected] = actual
        return fits

    def forget(self, stream: str) -> None:
        self._known.pop(stream, None)

    def actual(self, stream: str, expected: int) -> int:
        known = self._known.get(stream, {})
        if expected in known:
            return known[expected]
        below = [other for other in known if other < expected]
        if below:
            return known[max(below)] + expected - max(below)
        # Of a stream that the server has not named, a position in a file is one that it cannot have given.
        return expected + 2**52 if expected else 0

    def hello(self, data: dict[str, Any]) -> dict[str, Any]:
        """The file's `hello` with the server's positions."""
        streams = data.get("streams")
        if not isinstance(streams, dict):
            return data
        return {**data, "streams": {name: self.actual(name, position) for name, position in streams.items()}}
