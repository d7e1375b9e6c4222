"""A TCP proxy that misbehaves on command. It works below WebSocket: bytes that do not come, and no close frame."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class FaultProxy:
    """Pass connections on to a port, with the faults that its fields say. Each may be changed at any time."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.latency_s = 0.0
        self.swallow_up = False
        """Bytes of clients are thrown away: the server hears nothing more, and both think that the link is alive."""
        self.swallow_down = False
        self.refuse = False
        self._links: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, target: int) -> "AsyncIterator[FaultProxy]":
        proxy = cls(target)
        proxy._server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = proxy._server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            proxy._server.close()
            proxy.reset()
            for pump in list(proxy._pumps):
                pump.cancel()
            await asyncio.gather(*proxy._pumps, return_exceptions=True)

    def reset(self) -> None:
        """Ends all connections with RST."""
        for link in list(self._links):
            link.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)
        if self.refuse:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._links |= {writer, there_writer}
        try:
            await asyncio.gather(self._pump(reader, there_writer, up=True), self._pump(there_reader, writer, up=False))
        except asyncio.CancelledError:
            # The proxy is closed; asyncio would report the end of its own task as an error.
            pass
        finally:
            for link in (writer, there_writer):
                self._links.discard(link)
                link.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.swallow_up if up else self.swallow_down:
                    continue
                if self.latency_s:
                    await asyncio.sleep(self.latency_s * random.random() * 2)  # noqa: S311
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
