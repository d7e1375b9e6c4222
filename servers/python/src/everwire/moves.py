"""What the messages of a transaction do to memberships. Memory has it once the transaction is committed."""

from collections.abc import Collection
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .engine import Engine
    from .peer import Peer


class Move(Enum):
    """What a message has done to a membership."""

    JOINED = auto()
    LEFT_HERE = auto()
    """The user is in the room still, with another client."""
    LEFT = auto()


class Moves:
    """The moves of one transaction in order, and who is in which room with them: a message sees those of the messages before it."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._by_user: dict[str, list[tuple[Peer, str, Move]]] = {}

    def add(self, peer: "Peer", room: str, move: Move) -> None:
        self._by_user.setdefault(peer.user, []).append((peer, room, move))

    def count(self, user: str) -> int:
        return len(self._by_user.get(user, ()))

    def undo(self, user: str, kept: int) -> None:
        """Takes back all moves of a user but the first ones."""
        del self._by_user.get(user, [])[kept:]

    def apply(self) -> None:
        """After the commit."""
        for moves in self._by_user.values():
            for move in moves:
                self._engine.move(*move)

    def rooms(self, user: str) -> set[str]:
        """The rooms that the user is in here."""
        rooms = set(self._engine.rooms.of(user))
        for peer, room, move in self._by_user.get(user, ()):
            if move is Move.JOINED or (move is Move.LEFT_HERE and self._others_have_joined(peer, room)):
                rooms.add(room)
            else:
                rooms.discard(room)
        return rooms

    def users(self, room: str) -> list[str]:
        """The users who are in the room here."""
        users = dict.fromkeys(self._engine.rooms.users(room))
        for user in self._by_user:
            if room in self.rooms(user):
                users[user] = None
            else:
                users.pop(user, None)
        return list(users)

    def stays_in(self, peer: "Peer", room: str, stored: Collection[str]) -> bool:
        """Whether a user who leaves a room on this connection has it on another one. `stored` are the client ids of which the
        database says so; those of connections to this process are known better here."""
        engine = self._engine
        if peer not in engine.peers:
            return False
        if self._others_have_joined(peer, room):
            return True
        here = {client_id for other in engine.connections(peer.user) for client_id in other.client_ids}
        return any(client_id not in here and (peer.user, client_id) not in engine.going for client_id in stored)

    def _others_have_joined(self, peer: "Peer", room: str) -> bool:
        others = self._engine.connections(peer.user) - {peer}
        return any(other.closing is None and self._has_joined(other, room) for other in others)

    def _has_joined(self, peer: "Peer", room: str) -> bool:
        for by, moved, move in reversed(self._by_user.get(peer.user, ())):
            if moved == room and (by is peer or move is Move.LEFT):
                return move is Move.JOINED
        return room in peer.joined
