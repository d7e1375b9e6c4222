"""The server side of the Everwire protocol, for FastAPI and Starlette."""

from .context import Context
from .environment import Environment, EnvironmentRefused, from_environment
from .everwire import Everwire
from .limits import Limits
from .metrics import Metrics
from .publish import publish, publish_sync
from .refusal import Refuse
from .store import SqliteStore, Store, StoreAway, StoreError
from .token import Identity, TokenRefused, Tokens

__all__ = [
    "Context",
    "Environment",
    "EnvironmentRefused",
    "Everwire",
    "Identity",
    "Limits",
    "Metrics",
    "Refuse",
    "SqliteStore",
    "Store",
    "StoreAway",
    "StoreError",
    "TokenRefused",
    "Tokens",
    "from_environment",
    "publish",
    "publish_sync",
]
