"""uvicorn's WebSocket protocol, with bounds on what never reaches an ASGI application: control frames and fragments."""

import asyncio
import time
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .rate import Bucket

CONTROL_FRAMES_PER_MINUTE = 300
FRAGMENTS_PER_MESSAGE = 16_384
"""More than the largest message has bytes by default."""

_CLOSING_S = 5.0
_FLOOD = (1008, "too many frames")


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """Closes with 1008 when a client floods the connection with frames that make no message."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = _CLOSING_S
        self._control = Bucket.full(CONTROL_FRAMES_PER_MINUTE, time.monotonic())
        self._refused = False

    def data_received(self, data: bytes) -> None:
        # What comes behind a violation is read and thrown away: unread, it would reset the connection before the goodbye arrives.
        if not self._refused:
            super().data_received(data)

    def handle_events(self) -> None:
        if not self._refused:
            super().handle_events()

    def handle_ping(self) -> None:
        if self._takes_control_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._takes_control_frame():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self._refused:
            return
        if len(self.frames) >= FRAGMENTS_PER_MESSAGE:
            self._refuse(*_FLOOD)
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        # uvicorn would write a traceback for each.
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._refuse(1007, "")
        else:
            super().send_receive_event_to_app()

    def _takes_control_frame(self) -> bool:
        if not self._refused and not self._control.take(time.monotonic()):
            self._refuse(*_FLOOD)
        return not self._refused

    def _refuse(self, code: int, reason: str) -> None:
        if not self._refused and not self.close_sent:
            self.conn.send_close(code, reason)
            self._leave(code, reason)

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is not None:
            self._leave(self.conn.close_sent.code, self.conn.close_sent.reason)

    def _leave(self, code: int, reason: str) -> None:
        """Says goodbye, and reads on until the client is gone."""
        self._refused = self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.frames = []
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = asyncio.get_running_loop().call_later(self.close_timeout, self.transport.abort)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


__all__ = ["GuardedWebSocket"]
