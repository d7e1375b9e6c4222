"""A PostgreSQL of the tests' own, from the system's packages, with its data under `target`."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import asyncpg

from everwire.testing import free_port

TARGET = Path(__file__).resolve().parents[3] / "target"


class Cluster:
    def __init__(self, binaries: Path, *, name: str = "tests", fsync: bool = False) -> None:
        self._binaries = binaries
        self._fsync = "on" if fsync else "off"
        self._directory = TARGET / f"python-postgres-{name}-{os.getpid()}"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.getuid() == 0 else None

    def start(self) -> None:
        self._directory.mkdir(parents=True)
        if self._user is not None and not _may_enter(self._user, self._directory):
            # The tree may be where only its owner comes.
            self._directory.rmdir()
            self._directory = Path(tempfile.mkdtemp(prefix="everwire-postgres-"))
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._directory, account.pw_uid, account.pw_gid)
        data = self._directory / "data"
        # What is tested is the store, which need not wait for the disk: nothing here outlives the test.
        self._run("initdb", "-D", str(data), "-U", "everwire", "-A", "trust", "--no-sync")
        self.begin()

    def begin(self) -> None:
        """Starts the server on what is there."""
        options = [
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"fsync={self._fsync}",
            "-c",
            "unix_socket_directories=",
        ]
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._directory / "data", *options],
            user=self._user,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments], user=self._user, check=True, stdout=subprocess.DEVNULL, cwd="/"
        )

    def kill(self) -> None:
        """`kill -9`. Connections end when their processes notice; only then can it be started again."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    async def start_again(self) -> None:
        async with asyncio.timeout(30):
            while True:
                self.begin()
                while self._process is not None and self._process.poll() is None:
                    try:
                        connection = await asyncpg.connect(self.url())
                    except (OSError, asyncpg.PostgresError):
                        await asyncio.sleep(0.05)
                    else:
                        await connection.close()
                        return
                await asyncio.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            # The way of ending that does not wait for clients.
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://everwire@127.0.0.1:{self.port}/{database}"

    async def create(self, database: str) -> None:
        for _ in range(200):
            try:
                connection = await asyncpg.connect(self.url())
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
                continue
            await connection.execute(f"CREATE DATABASE {database}")
            await connection.close()
            return
        raise TimeoutError("PostgreSQL does not start")


def _may_enter(user: str, directory: Path) -> bool:
    return subprocess.run(["test", "-x", directory], user=user, check=False, cwd="/").returncode == 0


def binaries() -> Path | None:
    """Debian keeps them beside the path."""
    found = shutil.which("postgres")
    if found is not None and (Path(found).parent / "initdb").exists():
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return versions[-1].parent if versions else None
