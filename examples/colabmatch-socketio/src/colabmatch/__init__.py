"""CoLabMatch's chat server: one-to-one chat between matched people, over Socket.IO."""

from .server import Server, Settings

__all__ = ["Server", "Settings"]
