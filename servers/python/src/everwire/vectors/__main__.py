"""`python -m everwire.vectors URL`."""

import argparse
import asyncio
import sys
from pathlib import Path

from ..token import Tokens
from .conversation import Conversation, load
from .player import Mismatch, Player
from .remote import Remote


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m everwire.vectors",
        description="Plays the conversations of the Everwire protocol at a server. Those with events need the control endpoints"
        " POST /dev/push and /dev/forget; tokens come from POST /dev/token or are signed with --secret.",
    )
    parser.add_argument("url", help="where the server is, as in http://127.0.0.1:8000")
    parser.add_argument("names", nargs="*", help="only these conversations")
    parser.add_argument("--path", default="/api/ws", help="path of the WebSocket")
    parser.add_argument("--secret", help="signs the tokens (HS256)")
    parser.add_argument("--command", help="starts the server, and starts it again where a conversation says so")
    parser.add_argument("--directory", type=Path, help="the files, if not those of this package")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="TYPE", help="events that the server sends on its own"
    )
    options = parser.parse_args()
    tokens = Tokens(options.secret) if options.secret else None
    remote = Remote(options.url, path=options.path, tokens=tokens, command=options.command)
    conversations = [c for c in load(options.directory) if not options.names or c.name in options.names]
    return asyncio.run(_play_all(remote, conversations, frozenset(options.ignore)))


async def _play_all(remote: Remote, conversations: list[Conversation], ignore: frozenset[str]) -> int:
    passed = failed = skipped = 0
    await remote.start()
    try:
        controllable = await remote.controllable()
        for conversation in conversations:
            if conversation.needs and not controllable:
                skipped += 1
                print(f"skipped {conversation.name}: needs control endpoints")
                continue
            try:
                await Player(remote, conversation, ignore=ignore).play()
            except (Mismatch, OSError) as error:
                failed += 1
                print(f"FAILED  {conversation.name}: {conversation.about}\n        {error}")
            else:
                passed += 1
                as_cut = any("restart" in step for step in conversation.steps) and not remote.restarts
                print(f"ok      {conversation.name}" + (" (restart played as a cut)" if as_cut else ""))
    finally:
        await remote.stop()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
