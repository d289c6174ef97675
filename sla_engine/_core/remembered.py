"""What the second stage knows from entries alone, and that in sections, so that a commit writes only what changed."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sla_engine._core.coverage import CoverageState
from sla_engine._core.feeds import FeedsState
from sla_engine._core.follow_ups import FollowUp
from sla_engine._core.people import AccountState
from sla_engine._core.quality import ChecksState
from sla_engine._core.seats import SeatsState
from sla_engine._core.staffing import AccountDay
from sla_engine._core.totals import QueueSums
from wire.kinds import Kind

REMEMBERED: Final = "client.remembered"
SEATS: Final = "client.seats"
CHECKS: Final = "client.checks"
DAY_OF: Final = "client.day/"
"""Begins the name of the section that holds one sub-account's last days."""

_encode: Final = msgspec.msgpack.Encoder().encode


class RecordCounts(msgspec.Struct, array_like=True):
    """Entries of the ledger so far, and how many of them say that something is wrong with the record."""

    entries: int = 0
    quarantined: int = 0
    gaps: int = 0
    unrouted: int = 0
    equivocations: int = 0


class Told(msgspec.Struct):
    """What nearly every entry moves."""

    counts: RecordCounts = msgspec.field(default_factory=RecordCounts)
    feeds: FeedsState = msgspec.field(default_factory=FeedsState)
    accounts: dict[str, AccountState] = {}
    totals: dict[str, QueueSums] = {}
    coverage: CoverageState = msgspec.field(default_factory=CoverageState)
    follow_ups: dict[str, FollowUp] = {}


class Remembered(msgspec.Struct):
    """What entries alone told, kept beside the facts for the next start. days: by sub-account."""

    told: Told = msgspec.field(default_factory=Told)
    seats: SeatsState = msgspec.field(default_factory=SeatsState)
    days: dict[str, AccountDay] = {}
    checks: ChecksState = msgspec.field(default_factory=ChecksState)


class RememberedParts:
    """Encodes what changed since it was asked last."""

    def __init__(self) -> None:
        self._entered = -1
        self._checks = -1

    def sections(self, remembered: Remembered, changed_days: Iterable[str]) -> dict[str, bytes]:
        """The sections that may have changed since the last call; `changed_days` names sub-accounts."""
        changed = {REMEMBERED: _encode(remembered.told)}
        if remembered.seats.entered != self._entered:  # it only ever grows
            self._entered = remembered.seats.entered
            changed[SEATS] = _encode(remembered.seats)
        if remembered.checks.entered != self._checks:
            self._checks = remembered.checks.entered
            changed[CHECKS] = _encode(remembered.checks)
        for account in changed_days:
            changed[DAY_OF + account] = _encode(remembered.days[account])
        return changed


# Made here, once: several clients recall in threads of their own at the same time, and msgspec looking into the same
# class in two threads at once has ended the process with a segmentation fault.
_told: Final = msgspec.msgpack.Decoder(Told).decode
_seats: Final = msgspec.msgpack.Decoder(SeatsState).decode
_day: Final = msgspec.msgpack.Decoder(AccountDay).decode
_checks: Final = msgspec.msgpack.Decoder(ChecksState).decode


def recall(sections: Mapping[str, bytes]) -> Remembered:
    """What these sections hold. Raises KeyError or msgspec.MsgspecError when they are not of this version."""
    return Remembered(
        told=_told(sections[REMEMBERED]),
        seats=_seats(sections[SEATS]),
        days={
            name.removeprefix(DAY_OF): _day(content) for name, content in sections.items() if name.startswith(DAY_OF)
        },
        checks=_checks(sections[CHECKS]),
    )


def count_entry(counts: RecordCounts, kind: int) -> None:
    """Count one entry of a ledger, by what its kind says about the record."""
    counts.entries += 1
    if kind == Kind.QUARANTINED:
        counts.quarantined += 1
    elif kind == Kind.DATA_GAP:
        counts.gaps += 1
    elif kind == Kind.UNROUTED:
        counts.unrouted += 1
    elif kind == Kind.EQUIVOCATION:
        counts.equivocations += 1
