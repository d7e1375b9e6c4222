"""A Redis of the tests' own, from the system's packages. It keeps nothing on the disk: killed, it has lost its memory."""

import os
import shutil
import signal
import socket
import subprocess
import time

from everwire.testing import free_port


class RedisServer:
    def __init__(self) -> None:
        found = shutil.which(os.environ.get("REDIS_SERVER", "redis-server"))
        if found is None:
            raise FileNotFoundError("Redis is not installed (Debian: redis-server)")
        self._program = found
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                with socket.create_connection(("127.0.0.1", self.port)):
                    return
            except OSError:
                time.sleep(0.01)
        raise TimeoutError("Redis does not start")

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
