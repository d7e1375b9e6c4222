"""For tests of servers: a client, a proxy that misbehaves, a process that can be killed, and pytest fixtures for them.

Load the fixtures with `pytest_plugins = ["everwire.testing.fixtures"]`.
"""

from .client import Client, Closed
from .faults import FaultProxy
from .process import ServerProcess, free_port
from .running import Running, running

__all__ = ["Client", "Closed", "FaultProxy", "Running", "ServerProcess", "free_port", "running"]
