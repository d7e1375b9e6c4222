"""Who is in a session and who of them is there: MasterX's `session_members`."""

import asyncio
import logging

from . import frames
from .context import RoomTell
from .everwire import Everwire
from .report import describe

log = logging.getLogger("everwire")

_TOGETHER_S = 0.05
_MOST_MEMBERS = 100


class Roster:
    """Tells the members of a session who are there when someone joins, leaves, comes or goes. Changes within a moment are told
    together, and those of large sessions are not told."""

    def __init__(self, wire: Everwire) -> None:
        self._wire = wire
        self._due: dict[str, asyncio.Task[None]] = {}
        wire.engine.room_hooks.append(self.changed)
        wire.engine.presence_hooks.append(self._came_or_left)

    def changed(self, room: str) -> None:
        if room not in self._due:
            self._due[room] = asyncio.create_task(self._tell(room))

    async def _came_or_left(self, user: str, _online: bool) -> None:
        async with self._wire.store.transaction() as tx:
            rooms = await tx.rooms(user)
        for room in rooms:
            self.changed(room)

    async def _tell(self, room: str) -> None:
        await asyncio.sleep(_TOGETHER_S)
        # What changes from here on is told once more.
        del self._due[room]
        if self._wire.engine.draining:
            return
        try:
            async with self._wire.store.transaction() as tx:
                stored = await tx.members(room)
            users = sorted({*stored, *self._wire.engine.rooms.users(room)})
            if not 0 < len(users) <= _MOST_MEMBERS:
                return
            online = await self._wire.online(users)
        except Exception as error:
            log.warning("the members of a session cannot be told: %s", describe(error))
            return
        members = [{"user_id": user, "online": user in online} for user in users]
        frame = frames.envelope("session_members", {"session_id": room, "members": members})
        self._wire.engine.tell_room(RoomTell(room, frame, tuple(stored)))
