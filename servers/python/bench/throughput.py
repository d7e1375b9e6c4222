"""Numbered messages a second on one core: `python bench/throughput.py [note|publish] [--messages N] [--clients N]`.

The server has core 0 and the clients core 1. The clients write frames that were made before, so that they are not what is
measured, and keep the window full. What is counted is acknowledged, so it is on the disk.
"""

import argparse
import asyncio
import base64
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from everwire import Tokens

SECRET = "the secret of the throughput test"  # noqa: S105
WINDOW = 128
LEAST_PER_SECOND = 10_000
MOST_GROWTH_MB = 4.0
CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()


def masked(text: str) -> bytes:
    payload = text.encode()
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    # A mask of zeros leaves the payload as it is.
    return head + bytes(4) + payload


class Client:
    def __init__(self, index: int, port: int, kind: str, messages: int) -> None:
        self.user = f"user{index}"
        self.port = port
        self.frames = [
            masked(f'{{"type":"{kind}","data":{{"n":{n},"text":"{"x" * 60}"}},"seq":{n}}}')
            for n in range(1, messages + 1)
        ]
        self.acked = 0
        self.events = 0
        self.expects = messages if kind == "publish" else 0
        self.sent = 0
        self.slowest = 0.0

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        token = Tokens(SECRET).issue(self.user)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET /api/ws?token={token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        self.writer.write(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        await self.reader.readuntil(b"\r\n\r\n")
        client_id = base64.urlsafe_b64encode(os.urandom(15)).decode()
        self.writer.write(masked(f'{{"type":"hello","data":{{"versions":[1],"client_id":"{client_id}"}}}}'))
        welcome = await self.frame()
        assert b'"welcome"' in welcome, welcome

    async def frame(self) -> bytes:
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        payload = await self.reader.readexactly(size)
        assert first == 0x81, (first, payload)
        return payload

    async def run(self) -> None:
        waited = time.monotonic()
        # The neighbour sends as many as this one.
        while self.acked < len(self.frames) or self.events < self.expects:
            upto = min(self.acked + WINDOW, len(self.frames))
            if upto > self.sent:
                self.writer.write(b"".join(self.frames[self.sent : upto]))
                self.sent = upto
            frame = await self.frame()
            if frame.startswith(b'{"type":"ack"'):
                self.acked = int(frame[frame.rindex(b":") + 1 : -2])
                now = time.monotonic()
                self.slowest = max(self.slowest, now - waited)
                waited = now
            elif b'"noted"' in frame:
                self.events += 1
            else:
                raise AssertionError(frame)


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(kind: str, clients: int, messages: int, ports: list[int], pid: int) -> tuple[float, float]:
    """Messages for each second of the server's core, and how much its memory grew after the first quarter, in MB."""
    each = messages // clients
    everyone = [Client(index, ports[index % len(ports)], kind, each) for index in range(clients)]
    await asyncio.gather(*(client.open() for client in everyone))
    print(f"memory at the start: {resident_mb(pid):.1f} MB")
    cpu = cpu_seconds(pid)
    started = time.monotonic()
    running = asyncio.gather(*(client.run() for client in everyone))
    grown = 0.0
    marks = [messages * part // 4 for part in range(1, 4)]
    while not running.done():
        await asyncio.sleep(0.1)
        acked = sum(client.acked for client in everyone)
        if marks and acked >= marks[0]:
            marks.pop(0)
            resident = resident_mb(pid)
            grown = grown or resident
            print(f"{acked} messages: {resident:.1f} MB")
    await running
    took = time.monotonic() - started
    cpu = cpu_seconds(pid) - cpu
    resident = resident_mb(pid)
    grown = resident - grown
    print(f"memory at the end: {resident:.1f} MB")
    slowest = max(client.slowest for client in everyone)
    print(
        f"longest wait for an acknowledgement: {slowest * 1000:.0f} ms; events received: {sum(client.events for client in everyone)}"
    )
    print(
        f"the server used its core for {cpu:.2f} s of {took:.2f} s: {each * clients / cpu:.0f} messages per second of it"
    )
    print(
        f"{kind}: {clients} clients, {each * clients} numbered messages in {took:.2f} s: {each * clients / took:.0f} messages/s"
    )
    return each * clients / cpu, grown


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", nargs="?", choices=["note", "publish"], default="note")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--port", type=int, default=8971)
    parser.add_argument(
        "--postgres", action="store_true", help="a PostgreSQL that is started for it, which waits for the disk"
    )
    parser.add_argument("--nodes", type=int, default=1, help="processes on the same database; all have core 0")
    parser.add_argument(
        "--check",
        choices=["memory", "all"],
        help="fail if it grows more than it may, or with `all` if it is slower than it may on an ordinary core",
    )
    options = parser.parse_args()
    use_core(0)
    ports = [options.port + node for node in range(options.nodes)]
    servers: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        database = postgres(stack) if options.postgres else f"{directory}/bench.db"
        try:
            for port in ports:
                command = [sys.executable, str(Path(__file__).parent / "server.py"), database, SECRET, str(port)]
                servers.append(subprocess.Popen(command))
                until_it_listens(port)
            use_core(1)
            measured = asyncio.run(measure(options.kind, options.clients, options.messages, ports, servers[0].pid))
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    if options.check:
        per_second, grown = measured
        check_memory(grown)
        if options.check == "all":
            check_speed(per_second)


def use_core(core: int) -> None:
    """Stays on this core, as do the processes that are started from here, where the system has it and can say so."""
    if core in CORES:
        os.sched_setaffinity(0, {core})


def check_memory(grown: float) -> None:
    if grown > MOST_GROWTH_MB:
        sys.exit(f"the server has grown by {grown:.1f} MB, which is more than {MOST_GROWTH_MB}")
    print(f"memory flat to {MOST_GROWTH_MB} MB: yes")


def check_speed(per_second: float) -> None:
    """What other processes take from the core is not the server's fault, so the seconds are those that it had."""
    if per_second < LEAST_PER_SECOND:
        sys.exit(f"{per_second:.0f} messages for each second of a core are less than {LEAST_PER_SECOND}")
    print(f"at least {LEAST_PER_SECOND} messages for each second of a core: yes")


def postgres(stack: ExitStack) -> str:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.postgres import Cluster, binaries

    found = binaries()
    assert found is not None, "PostgreSQL is not installed"
    cluster = Cluster(found, fsync=True)
    cluster.start()
    stack.callback(cluster.stop)

    async def prepare() -> None:
        import asyncpg

        await cluster.create("bench")
        connection = await asyncpg.connect(cluster.url("bench"))
        await connection.execute("CREATE TABLE notes (user_id TEXT, n INTEGER, text TEXT)")
        await connection.close()

    asyncio.run(prepare())
    return cluster.url("bench")


def until_it_listens(port: int) -> None:
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server does not listen")


if __name__ == "__main__":
    main()
