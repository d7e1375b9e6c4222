"""The server side of the Everwire protocol, for FastAPI and Starlette."""

from .context import Context
from .everwire import Everwire
from .limits import Limits
from .metrics import Metrics
from .refusal import Refuse
from .store import SqliteStore, Store, StoreError
from .token import Identity, TokenRefused, Tokens

__all__ = [
    "Context",
    "Everwire",
    "Identity",
    "Limits",
    "Metrics",
    "Refuse",
    "SqliteStore",
    "Store",
    "StoreError",
    "TokenRefused",
    "Tokens",
]
