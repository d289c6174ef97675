"""Seats of a site over time: how many were there and how many were to be, step by step."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import Hours, SiteLimits, SiteRosterState

# Batch: where one of two ways to the same steps is quicker.
MOVES_PER_CUT: Final = 4
Stay = tuple[int, int]
"""A seat reported within [since, until), ms."""


class SeatStep(NamedTuple):
    """The worst moment of [since, until), ms. present, expected: None where nothing was recorded."""

    since: int
    until: int
    present: int | None
    expected: int | None


class Seats:
    """The seats of one site. client: only those its people sit at; None = all. stays: of each seat, in order."""

    def __init__(
        self,
        state: SiteRosterState,
        limits: SiteLimits,
        site: str,
        client: str | None,
        stays: Mapping[str, Sequence[Stay]],
    ) -> None:
        self._state = state
        self._limits = limits
        self._site = site
        self._client = client
        self._stays = stays

    def steps(self, cuts: Sequence[int], holes: Sequence[tuple[int, int]]) -> list[SeatStep]:
        """Steps from the first to the last of `cuts` (ms). holes: times [since, until) in which nothing was recorded.

        A new one begins at every cut, whenever others are to be there, and whenever a seat came or went. Where the
        last would be too many, only at the others, each step with its worst moment.
        """
        seats = self._own_seats(cuts)
        own = [stays for seat, stays in self._stays.items() if seat in seats]
        moved = {at for stays in own for stay in stays for at in stay if cuts[0] < at < cuts[-1]}
        turns = roster.turns_of_shifts(self._state, self._limits, self._site, seats, cuts[0], cuts[-1])
        if len(moved) <= MOVES_PER_CUT * len(cuts):
            turns |= moved
        cuts = sorted({*cuts, *turns, *(at for hole in holes for at in hole if cuts[0] < at < cuts[-1])})
        left = sorted(until for stays in own for _, until in stays)
        found, number = [], 0
        for since, until in pairwise(cuts):
            if any(hole[0] < until and since < hole[1] for hole in holes):
                found.append(SeatStep(since, until, None, None))
                continue
            while number < len(left) and left[number] < since:
                number += 1
            instants = {since}
            while number < len(left) and left[number] < until:
                instants.add(left[number])
                number += 1
            # somebody has left by the last of them, and of many who leave one by one that is when fewest are there
            counted = [self._at(at) for at in {since, max(instants)}]
            present, expected = min(counted, key=_share)
            found.append(SeatStep(since, until, present, expected))
        return found

    def _own_seats(self, cuts: Sequence[int]) -> set[str]:
        """The seats that are counted at any of `cuts`: others leave no trace, not even where steps begin."""
        if self._client is None:
            return {*self._stays, *self._state.seats.get(self._site, ())}
        return {seat for at in cuts for seat in roster.seats_of_client(self._state, self._site, self._client, at)}

    def _at(self, at: int) -> tuple[int, int]:
        here = {seat for seat, _ in roster.seats_at(self._state, self._site, at)}
        known = here | self._stays.keys()
        if self._client is not None:
            known &= roster.seats_of_client(self._state, self._site, self._client, at)
        present = sum(_is_there(self._stays.get(seat, ()), at) for seat in known)
        hours = roster.hours_at(self._state, self._limits, self._site, at)
        return present, sum(self._is_expected(seat, at, hours, is_here=seat in here) for seat in known)

    def _is_expected(self, seat: str, at: int, hours: Hours, *, is_here: bool) -> bool:
        """As the verdict on the site has it: inside its shift, else once heard that business day, in service hours."""
        in_shift = roster.in_shift(self._state, self._limits, seat, at, hours if is_here else None)
        if in_shift is not None:
            return in_shift
        if not hours.is_open(at):
            return False
        day = hours.business_day(at)
        return any(since <= at and hours.business_day(until - 1) >= day for since, until in self._stays.get(seat, ()))


def stays(heard: Sequence[int], silent: Sequence[int], until: int) -> list[Stay]:
    """When a source reported. heard: instants (ms) from which on it did; silent: instants after which it did not."""
    found: list[Stay] = []
    began: int | None = None
    for at, is_heard in sorted([*((at, True) for at in heard), *((at, False) for at in silent)]):
        if is_heard and began is None:
            began = at
        elif not is_heard and began is not None:
            if began < at:
                found.append((began, at))
            began = None
    if began is not None and began < until:
        found.append((began, until))
    return found


def _is_there(known: Sequence[Stay], at: int) -> bool:
    return any(since <= at < until for since, until in known)


def _share(counted: tuple[int, int]) -> tuple[bool, int]:
    """The worse, the less: in whole thousandths; where nobody is expected nothing can be missing."""
    present, expected = counted
    return expected == 0, 1_000 * present // max(1, expected)
