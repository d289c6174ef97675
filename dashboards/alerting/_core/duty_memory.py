"""What became of each message that is sent by itself, kept so that a restart neither repeats nor forgets one.

Before a channel is tried it is written down as begun. Whoever finds that mark after a restart cannot know whether the
message went out, and leaves it: twice is worse than a line in the log.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec
from msgspec.structs import replace


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """About one message. due_at: ms, of the newest that was taken up; at, since: what that one is as of, and from when.

    waiting: channels that are still to get it. begun: the channel being tried, "" = none. skipped: how many were not
    sent since the last that was.
    """

    due_at: int
    at: int = 0
    since: int | None = None
    waiting: tuple[str, ...] = ()
    begun: str = ""
    skipped: int = 0


class Fate(StrEnum):
    """What is to be done about a message at some instant."""

    WAIT = "wait"
    SEND = "send"
    SKIP = "skip"


def fate(due_at: int, now: int, *, skip_after_ms: int) -> Fate:
    """Of a message due at `due_at` (ms)."""
    if now < due_at:
        return Fate.WAIT
    return Fate.SEND if now - due_at <= skip_after_ms else Fate.SKIP


def taken_up(held: Remembered, due: Remembered) -> Remembered:
    """The next one is due; what was skipped before is still to be told."""
    return replace(due, skipped=held.skipped)


def begun(held: Remembered, channel: str) -> Remembered:
    """`channel` is about to be tried."""
    return replace(held, begun=channel)


def ended(held: Remembered, *, was_taken: bool) -> Remembered:
    """The channel that was begun took it, or refused it and may be tried again."""
    waiting = tuple(name for name in held.waiting if not (was_taken and name == held.begun))
    return replace(held, waiting=waiting, begun="", skipped=held.skipped if waiting else 0)


def given_up(held: Remembered) -> Remembered:
    """It is too late for the channels that still wait."""
    return replace(held, waiting=(), begun="", skipped=held.skipped + 1)


def after_restart(held: Remembered, channels: Collection[str]) -> Remembered:
    """What was begun is not tried again. channels: those it goes to now; nothing is owed to others any more."""
    waiting = tuple(name for name in held.waiting if name != held.begun and name in channels)
    return replace(held, waiting=waiting, begun="")
