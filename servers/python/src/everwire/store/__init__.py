from .base import Change, ContentRefused, Event, NewEvent, Store, StoreError, Transaction
from .sqlite import SqliteStore

__all__ = ["Change", "ContentRefused", "Event", "NewEvent", "SqliteStore", "Store", "StoreError", "Transaction"]
