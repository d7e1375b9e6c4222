from .base import Change, Conflict, ContentRefused, Event, NewEvent, Store, StoreAway, StoreError, Takeover, Transaction
from .sqlite import SqliteStore

__all__ = [
    "Change",
    "Conflict",
    "ContentRefused",
    "Event",
    "NewEvent",
    "SqliteStore",
    "Store",
    "StoreAway",
    "StoreError",
    "Takeover",
    "Transaction",
]
