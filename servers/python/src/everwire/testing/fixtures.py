"""pytest fixtures: `everwire_faults` puts a proxy before a port, `everwire_process` runs a server that can be killed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

import pytest_asyncio

from .faults import FaultProxy
from .process import ServerProcess

FaultsFactory = Callable[[int], Awaitable[FaultProxy]]
ProcessFactory = Callable[..., Awaitable[ServerProcess]]


@pytest_asyncio.fixture
async def everwire_faults() -> AsyncIterator[FaultsFactory]:
    async with AsyncExitStack() as stack:

        async def make(target: int) -> FaultProxy:
            return await stack.enter_async_context(FaultProxy.open(target))

        yield make


@pytest_asyncio.fixture
async def everwire_process() -> AsyncIterator[ProcessFactory]:
    processes: list[ServerProcess] = []

    async def make(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> ServerProcess:
        process = ServerProcess(command, port, environment)
        processes.append(process)
        await process.start()
        return process

    yield make
    for process in processes:
        await process.kill()
