"""A hook for whatever counts: Prometheus, StatsD, OpenTelemetry."""

from typing import Protocol


class Metrics(Protocol):
    """Called on the event loop: must be quick and must not raise.

    Names: `ws_connections_total`, `ws_connections` (a gauge), `ws_messages_total` with `type` and `outcome` (`processed`,
    `refused`, `duplicate`, `limited`, `malformed`), `ws_message_latency_seconds`, `ws_errors_total` with `code`,
    `ws_closed_total` with `code`. `type` is one that has a handler, or `other`.
    """

    def count(self, name: str, value: int = 1, /, **labels: str) -> None: ...

    def gauge(self, name: str, value: float, /, **labels: str) -> None: ...

    def observe(self, name: str, value: float, /, **labels: str) -> None: ...


class NoMetrics:
    def count(self, name: str, value: int = 1, /, **labels: str) -> None:
        pass

    def gauge(self, name: str, value: float, /, **labels: str) -> None:
        pass

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        pass
