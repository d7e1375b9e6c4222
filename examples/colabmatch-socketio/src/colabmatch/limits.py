"""How often a user may do something."""

from collections import deque


class Limit:
    """At most `count` times in any `seconds`, for each user."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._times: dict[str, deque[float]] = {}

    def allows(self, user: str, now: float) -> bool:
        """Whether they may once more; this counts as once. A limit of 0 allows everything."""
        if self._count == 0:
            return True
        times = self._times.setdefault(user, deque())
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._count:
            return False
        times.append(now)
        return True

    def forget_idle(self, now: float) -> None:
        """Drops users who have done nothing for so long that nothing is counted against them."""
        idle = [user for user, times in self._times.items() if not times or times[-1] <= now - self._seconds]
        for user in idle:
            del self._times[user]
