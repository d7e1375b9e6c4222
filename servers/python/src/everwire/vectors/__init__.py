"""Plays the conversations of `docs/vectors` at any server: `python -m everwire.vectors http://127.0.0.1:8000`."""

from .conversation import Conversation, load
from .player import Mismatch, Player

__all__ = ["Conversation", "Mismatch", "Player", "load"]
