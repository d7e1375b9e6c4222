"""What tests look at: which frames came, and what became of the messages in them."""

from typing import TYPE_CHECKING, Protocol

from .envelope import Frame
from .store import Transaction

if TYPE_CHECKING:
    from .peer import Peer


class Observer(Protocol):
    def received(self, peer: "Peer", frame: Frame, text: str) -> None:
        """A frame has come, and nothing has been done with it yet."""

    async def processed(self, tx: Transaction, peer: "Peer", frame: Frame, code: str | None) -> None:
        """In the transaction of each message, after its handler and outside of its savepoint; with the code if it is refused."""
