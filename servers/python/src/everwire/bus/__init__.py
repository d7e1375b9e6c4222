from .base import Bus, Listener, ToEveryone, ToRoom, ToUser

__all__ = ["Bus", "Listener", "ToEveryone", "ToRoom", "ToUser"]
