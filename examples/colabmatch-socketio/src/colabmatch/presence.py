"""Who is there, over all of their connections."""


class Presence:
    def __init__(self) -> None:
        self._connections: dict[str, set[str]] = {}

    def came(self, user: str, connection: str) -> bool:
        """Says whether this is their first connection."""
        connections = self._connections.setdefault(user, set())
        connections.add(connection)
        return len(connections) == 1

    def went(self, user: str, connection: str) -> bool:
        """Says whether this was their last connection."""
        connections = self._connections.get(user, set())
        connections.discard(connection)
        if connections:
            return False
        return self._connections.pop(user, None) is not None

    def is_online(self, user: str) -> bool:
        return user in self._connections

    def connections(self, user: str) -> list[str]:
        return sorted(self._connections.get(user, ()))
