"""How much a user may send: a bucket that fills steadily."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    per_minute: int
    tokens: float
    filled_at: float

    @classmethod
    def full(cls, per_minute: int, now: float) -> "Bucket":
        return cls(per_minute, float(per_minute), now)

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
        self._fill(now)
        return max(0.0, (1 - self.tokens) * 60 / self.per_minute) if self.per_minute else 0.0

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self.tokens >= self.per_minute

    def _fill(self, now: float) -> None:
        gained = (now - self.filled_at) * self.per_minute / 60
        self.tokens = min(float(self.per_minute), self.tokens + gained)
        self.filled_at = now


class Rates:
    """The buckets of all users of a process. One that is full again is as good as new and is forgotten."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, user: str, kind: str, now: float) -> Bucket:
        key = (user, kind)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket.full(self._per_minute, now)
        return bucket

    def sweep(self, now: float, connected: set[str]) -> None:
        for key, bucket in list(self._buckets.items()):
            if key[0] not in connected and bucket.is_full(now):
                del self._buckets[key]
