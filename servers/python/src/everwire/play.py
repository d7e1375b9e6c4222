"""Processes what arrived on one connection, inside a transaction."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import frames
from .context import AfterCommit, Context, RoomTell
from .moves import Moves
from .refusal import Refuse
from .report import describe
from .sequence import Case, case
from .store import NewEvent, StoreError, Transaction

if TYPE_CHECKING:
    from .engine import Engine
    from .peer import Arrived, Peer

log = logging.getLogger("everwire")


class HelloTooLate(Exception):
    """The connection was closed meanwhile."""


@dataclass(frozen=True, slots=True)
class Welcome:
    client_id: str
    owner: str
    last: int
    positions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Played:
    type: str | None
    at: float
    outcome: str
    code: str | None = None


@dataclass(slots=True)
class Outcome:
    """What follows once the transaction is committed."""

    peer: "Peer"
    events: list[NewEvent] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    tells: list[tuple[str, str, bool]] = field(default_factory=list)
    room_tells: list[RoomTell] = field(default_factory=list)
    plain: list[RoomTell] = field(default_factory=list)
    after: list[AfterCommit] = field(default_factory=list)
    last: int | None = None
    """The `ack` to send."""
    close: tuple[int, str] | None = None
    welcome: Welcome | None = None
    left: "list[Arrived]" = field(default_factory=list)
    """What there was no time for in this transaction."""
    played: list[Played] = field(default_factory=list)


async def play(
    engine: "Engine",
    tx: Transaction,
    moves: Moves,
    peer: "Peer",
    items: "list[Arrived]",
    *,
    refuse: bool,
    until: float,
) -> Outcome:
    """Stops behind the message during which `until` has come, by the monotonic clock."""
    outcome = Outcome(peer)
    if items[0].hello is not None:
        await _hello(tx, peer, items[0], outcome)
        return outcome
    run, duplicates = _sequence(peer, items, outcome)
    last = max((item.frame.seq for item in run), default=0)
    if last and not await tx.take(peer.user, peer.client_id, peer.owner, peer.last, last):
        # Another connection has said hello as this client since.
        outcome.close = (4410, "another connection uses this client id")
        return outcome
    done = 0
    for item in run:
        await _message(engine, tx, moves, peer, item, outcome, refuse=refuse)
        done = max(done, item.frame.seq)
        if item is not run[-1] and time.monotonic() > until:
            # The rest comes in another transaction, and so does what would end the connection behind it.
            outcome.left, outcome.close = items[items.index(item) + 1 :], None
            break
    if done < last:
        await tx.take(peer.user, peer.client_id, peer.owner, last, done or peer.last)
    if done or duplicates:
        outcome.last = done or peer.last
    return outcome


def _sequence(peer: "Peer", items: "list[Arrived]", outcome: Outcome) -> "tuple[list[Arrived], bool]":
    """Those that are to be processed, up to one that ends the connection, and whether there were duplicates."""
    run: list[Arrived] = []
    duplicates = False
    last = peer.last
    for item in items:
        frame = item.frame
        if frame.breaks_rules:
            outcome.close = (4400, "wrong sequence number")
            break
        if not frame.seq:
            run.append(item)
            continue
        if not peer.client_id:
            outcome.close = (4400, "sequence number before hello")
            break
        which = case(frame.seq, frame.prev, last)
        if which is Case.NEXT:
            run.append(item)
            last = frame.seq
        elif which is Case.DUPLICATE:
            duplicates = True
            outcome.played.append(Played(frame.type, item.at, "duplicate"))
        else:
            outcome.close = (4409, "a message is missing") if which is Case.MISSING else (4400, "overtaken")
            break
    return run, duplicates


async def _hello(tx: Transaction, peer: "Peer", item: "Arrived", outcome: Outcome) -> None:
    hello = item.hello
    assert hello is not None  # noqa: S101
    if peer.closing is not None:
        return
    if hello.client_id == peer.client_id:
        outcome.close = (4400, "hello with the client id that is in use")
        return
    owner = secrets.token_hex(16)
    now = int(time.time() * 1000)
    if peer.client_id:
        await tx.disown(peer.user, peer.client_id, peer.owner, now)
    last = await tx.hello(peer.user, hello.client_id, owner, now)
    if peer.closing is not None:
        # It has waited for the row. Undone, because another connection may have said hello as this client since.
        raise HelloTooLate
    positions: dict[str, int] = {}
    own = f"client:{hello.client_id}"
    for name in ("user", own):
        if peer.client_ids and name in peer.positions:
            continue
        positions[name] = await tx.position(peer.user, name, hello.positions.get(name), now)
    outcome.welcome = Welcome(hello.client_id, owner, last, positions)


async def _message(
    engine: "Engine", tx: Transaction, moves: Moves, peer: "Peer", item: "Arrived", outcome: Outcome, *, refuse: bool
) -> None:
    frame = item.frame
    ctx = Context(engine, peer, tx, moves, frame.type or "", frame.seq, frame.request)
    try:
        if refuse:
            raise Refuse("internal")
        if frame.problem is not None:
            raise Refuse(frame.problem)
        result = await _handle(engine, ctx, frame.data)
        answer = _reply(peer, frame.seq, result) if frame.request else None
        await ctx.finish(keep=True)
    except (StoreError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if _is_cancelled(error):
            raise
        if isinstance(error, Refuse):
            refusal = error
        else:
            refusal = Refuse("internal")
            log.error("the handler of %s failed: %s", frame.type, describe(error))
        await ctx.finish(keep=False)
        refusal = _refused(peer, item, refusal, outcome)
        if engine.observer is not None:
            await engine.observer.processed(tx, peer, frame, refusal.code)
        return
    if engine.observer is not None:
        await engine.observer.processed(tx, peer, frame, None)
    effects = ctx.effects
    outcome.events += effects.events
    if answer is not None:
        outcome.events.append(answer)
    outcome.frames += effects.here
    outcome.tells += effects.tells
    outcome.room_tells += effects.room_tells
    outcome.plain += effects.plain
    outcome.after += effects.after
    outcome.played.append(Played(frame.type, item.at, "processed"))


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is this task that is to end, and not one that the handler has waited for."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _handle(engine: "Engine", ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
    if ctx.type == "ping":
        ctx.effects.here.append(frames.pong())
        return {}
    handler = engine.handlers.get(ctx.type)
    if handler is None:
        raise Refuse("unknown_type")
    async with asyncio.timeout(engine.limits.handler_timeout_s):
        # Who cancels the current task of a handler, even later, must not end the task that processes everything.
        result = await asyncio.create_task(_caught(handler.run(ctx, data)))
    if isinstance(result, BaseException):
        raise result
    return result


async def _caught(running: Awaitable[dict[str, Any]]) -> dict[str, Any] | BaseException:
    """A task that fails by what is no `Exception` would end more than itself."""
    try:
        return await running
    except (Exception, asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:
        return error


def _reply(peer: "Peer", seq: int, result: dict[str, Any]) -> NewEvent:
    return NewEvent(peer.user, f"client:{peer.client_id}", frames.reply(seq, result))


def _refused(peer: "Peer", item: "Arrived", refusal: Refuse, outcome: Outcome) -> Refuse:
    """How it is refused after all: with `internal` where the handler's code or words cannot be sent."""
    frame = item.frame
    about = frame.type if frame.is_readable else None
    named = None if frame.seq else frames.names(frame.data)
    try:
        text = frames.error(refusal.code, refusal.message, about, frame.seq, named)
    except TypeError as error:
        log.error("the refusal of %s cannot be sent: %s", frame.type, describe(error))
        refusal = Refuse("internal")
        text = frames.error(refusal.code, refusal.message, about, frame.seq, named)
    if frame.request:
        outcome.events.append(NewEvent(peer.user, f"client:{peer.client_id}", text))
    else:
        outcome.frames.append(text)
    outcome.played.append(
        Played(frame.type, item.at, "limited" if frame.problem == "rate_limited" else "refused", refusal.code)
    )
    return refusal
