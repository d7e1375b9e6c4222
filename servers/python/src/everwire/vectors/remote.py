"""A server that is reached over HTTP, with the control endpoints of the reference server where it has them."""

import asyncio
import json
import shlex
import subprocess
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

from ..token import Tokens


class Remote:
    def __init__(
        self, base: str, *, path: str = "/api/ws", tokens: Tokens | None = None, command: str | None = None
    ) -> None:
        self._base = base.rstrip("/")
        self._path = path
        self._tokens = tokens
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    async def url(self, user: str) -> str:
        if self._tokens is not None:
            token = self._tokens.issue(user)
        else:
            token = (await self._request("POST", "/dev/token", {"user_id": user}))["token"]
        return f"ws{self._base.removeprefix('http')}{self._path}?token={quote(token)}"

    async def push(self, user: str, kind: str, data: dict[str, Any]) -> None:
        await self._request("POST", "/dev/push", {"user_id": user, "type": kind, "data": data})

    async def forget(self, user: str, stream: str, upto: int) -> None:
        await self._request("POST", "/dev/forget", {"user_id": user, "stream": stream, "upto": upto})

    async def connections(self, user: str) -> int | None:
        try:
            answer = await self._request("GET", f"/dev/connections?user_id={quote(user)}", None)
        except OSError:
            await asyncio.sleep(0.2)
            return None
        return int(answer["open"])

    async def controllable(self) -> bool:
        try:
            await self._request("GET", "/dev/connections?user_id=nobody", None)
        except OSError:
            return False
        return True

    @property
    def restarts(self) -> bool:
        return self._command is not None

    async def start(self) -> None:
        if self._command is None:
            return
        self._process = await asyncio.to_thread(subprocess.Popen, shlex.split(self._command))
        address = urlsplit(self._base)
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection(address.hostname, address.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise TimeoutError("the command does not listen")

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def restart(self) -> None:
        """A server that was not started here is left running: the connection was cut, and that is all."""
        await self.stop()
        await self.start()

    async def _request(self, method: str, path: str, body: object) -> dict[str, Any]:
        return await asyncio.to_thread(self._blocking_request, method, path, body)

    def _blocking_request(self, method: str, path: str, body: object) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
            return content
