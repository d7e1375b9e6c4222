"""How much a user may send: a bucket that fills steadily."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    per_minute: float
    holds: float
    tokens: float
    filled_at: float

    @classmethod
    def full(cls, per_minute: float, now: float, holds: float | None = None) -> "Bucket":
        """`holds` is what may come at once, a minute's worth unless given."""
        holds = per_minute if holds is None else holds
        return cls(per_minute, holds, holds, now)

    def take(self, now: float) -> bool:
        """Takes one token if there is one."""
        if self.per_minute == 0:
            return True
        self._fill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until there is a token."""
        if self.per_minute == 0:
            return 0.0
        self._fill(now)
        return max(0.0, (1 - self.tokens) * 60 / self.per_minute)

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self.tokens >= self.holds

    def _fill(self, now: float) -> None:
        gained = (now - self.filled_at) * self.per_minute / 60
        self.tokens = min(self.holds, self.tokens + gained)
        self.filled_at = now


class Rates:
    """The buckets of all users of a process. One that is full again is as good as new and is forgotten."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, user: str, kind: str, now: float, per_second: float | None = None) -> Bucket:
        """With `per_second` it is one of its own rate, and holds a second's worth."""
        key = (user, kind)
        bucket = self._buckets.get(key)
        if bucket is None:
            rate, holds = (self._per_minute, None) if per_second is None else (per_second * 60, per_second)
            bucket = self._buckets[key] = Bucket.full(rate, now, holds)
        return bucket

    def sweep(self, now: float, connected: set[str]) -> None:
        for key, bucket in list(self._buckets.items()):
            if key[0] not in connected and bucket.is_full(now):
                del self._buckets[key]
