"""Typing ends by itself, two seconds after the last key."""

import asyncio
from collections.abc import Awaitable, Callable

Typist = tuple[str, str]
"""A match and a user."""

AUTO_STOP_S = 2.0


class TypingTimers:
    def __init__(self, on_stop: Callable[[Typist, str], Awaitable[None]]) -> None:
        self._on_stop = on_stop
        self._timers: dict[Typist, tuple[asyncio.TimerHandle, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def press(self, typist: Typist, connection: str) -> None:
        self._cancel(typist)
        timer = asyncio.get_running_loop().call_later(AUTO_STOP_S, self._run_out, typist)
        self._timers[typist] = (timer, connection)

    async def stop(self, typist: Typist) -> None:
        """Tells that they have stopped, if they were typing."""
        connection = self._cancel(typist)
        if connection is not None:
            await self._on_stop(typist, connection)

    async def gone(self, connection: str) -> None:
        """Whoever typed on this connection has stopped."""
        typists = [typist for typist, (_, typed_on) in self._timers.items() if typed_on == connection]
        for typist in typists:
            await self.stop(typist)

    def _run_out(self, typist: Typist) -> None:
        task = asyncio.ensure_future(self.stop(typist))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel(self, typist: Typist) -> str | None:
        timer, connection = self._timers.pop(typist, (None, None))
        if timer is not None:
            timer.cancel()
        return connection
