"""The files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Conversation:
    name: str
    about: str
    side: str | None
    steps: list[dict[str, Any]]

    @property
    def needs(self) -> set[str]:
        """Steps that only a server with control endpoints can take."""
        return {word for step in self.steps for word in ("push", "forget") if word in step}


def load(directory: Path | None = None) -> list[Conversation]:
    """Those that a server can have, from the package or the source tree unless a directory is given."""
    conversations = []
    for path in sorted((directory or _directory()).glob("*.json")):
        vector = json.loads(path.read_text("utf-8"))
        if vector.get("side") != "client":
            conversations.append(Conversation(path.stem, vector["about"], vector.get("side"), vector["steps"]))
    return conversations


def _directory() -> Path:
    here = Path(__file__).resolve()
    for directory in (here.parent / "conversations", *(parent / "docs" / "vectors" for parent in here.parents)):
        if directory.is_dir():
            return directory
    raise FileNotFoundError("docs/vectors is not here; give its directory")
