"""A client that says what it is told to."""

import asyncio
import json
import secrets
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]
PATIENCE_S = 10.0


class Closed(Exception):
    """The server has closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason}")
        self.code = code


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.client_id = ""
        self.welcome: Frame = {}

    @classmethod
    async def connect(cls, url: str) -> Self:
        return cls(await connect(url, ping_interval=None, compression=None, max_size=None))

    async def hello(self, client_id: str | None = None, streams: dict[str, int] | None = None) -> Frame:
        """Says hello, and returns the data of the welcome. Everything before it is passed over."""
        self.client_id = client_id or secrets.token_urlsafe(15)
        data = {"versions": [1], "client_id": self.client_id, "streams": streams or {}}
        await self.send("hello", data)
        self.welcome = (await self.until("welcome"))["data"]
        return self.welcome

    async def send(self, kind: str, data: Frame | None = None, **fields: Any) -> None:
        await self.send_text(json.dumps({"type": kind, "data": {} if data is None else data, **fields}))

    async def send_text(self, text: str) -> None:
        try:
            await self.socket.send(text)
        except ConnectionClosed:
            raise self._closed() from None

    async def frame(self) -> Frame:
        try:
            frame: Frame = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
        except ConnectionClosed:
            raise self._closed() from None
        return frame

    async def until(self, kind: str) -> Frame:
        """The next frame of this type; what comes before is passed over."""
        while True:
            frame = await self.frame()
            if frame["type"] == kind:
                return frame

    async def acknowledged(self, seq: int) -> list[Frame]:
        """What comes until everything up to this number is acknowledged."""
        came: list[Frame] = []
        while True:
            frame = await self.frame()
            if frame["type"] == "ack":
                if frame["data"]["seq"] >= seq:
                    return came
            else:
                came.append(frame)

    async def settle(self) -> list[Frame]:
        """What came before the answer to a ping."""
        await self.send("ping")
        came: list[Frame] = []
        while (frame := await self.frame())["type"] != "pong":
            came.append(frame)
        return came

    async def closed(self) -> int:
        """Waits until the server closes, and returns the code."""
        while True:
            try:
                await self.frame()
            except Closed as closed:
                return closed.code

    async def close(self) -> None:
        await self.socket.close()

    def cut(self) -> None:
        """Ends the connection without a goodbye."""
        self.socket.transport.abort()

    def _closed(self) -> Closed:
        return Closed(self.socket.close_code or 1006, self.socket.close_reason or "")
