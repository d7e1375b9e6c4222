"""Rooms of users who are connected to this process."""

from collections.abc import Collection, Iterable


class Rooms:
    def __init__(self) -> None:
        self._users: dict[str, set[str]] = {}
        self._rooms: dict[str, set[str]] = {}
        self._left: set[tuple[str, str]] = set()
        """Who has left a room on one connection, and is in it with another."""

    def has(self, user: str, room: str) -> bool:
        return room in self._rooms.get(user, ())

    def of(self, user: str) -> Collection[str]:
        return self._rooms.get(user, ())

    def users(self, room: str) -> Iterable[str]:
        return self._users.get(room, ())

    def join(self, user: str, room: str) -> None:
        self._left.discard((user, room))
        self._rooms.setdefault(user, set()).add(room)
        self._users.setdefault(room, set()).add(user)

    def leave_here(self, user: str, room: str) -> None:
        """The user has left on one connection: they are in the room as long as another one has joined it."""
        if self.has(user, room):
            self._left.add((user, room))

    def has_left_here(self, user: str, room: str) -> bool:
        return (user, room) in self._left

    def leave(self, user: str, room: str) -> None:
        self._left.discard((user, room))
        self._rooms.get(user, set()).discard(room)
        users = self._users.get(room)
        if users is not None:
            users.discard(user)
            if not users:
                del self._users[room]

    def forget(self, user: str) -> list[str]:
        """Leaves all rooms, and says which they were."""
        rooms = list(self._rooms.get(user, ()))
        for room in rooms:
            self.leave(user, room)
        self._rooms.pop(user, None)
        return rooms
