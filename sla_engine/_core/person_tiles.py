"""What a team's leader sees of each person: presence, conversations in hands, the wait that is due first."""

from collections.abc import Iterable, Iterator
from typing import Final

from sla_engine._core.client import ClientState
from sla_engine._core.feeds import stale_since
from sla_engine._core.follow_ups import FollowUp
from sla_engine._core.people import Standing
from sla_engine._core.waiting import Wait
from wire.board import PersonTile
from wire.ids import UNASSIGNED
from wire.verdict import Place


def person_tiles(state: ClientState, on_roster: Iterable[str], holding: Iterable[FollowUp]) -> list[PersonTile]:
    """Everybody whose presence was told, and whom the roster knows, by id.

    Of who is known only from feeds that tell the day after, nothing but the place the roster gives them.

    on_roster: sub-accounts the roster knows by now. holding: the follow-ups that hold.
    """
    builder = _Builder(state, holding)
    tiles = {person: builder.tile(person, standing) for person, standing in state.people.standings()}
    for account in on_roster:
        place = state.place_of(account, state.as_of)
        if place.person != UNASSIGNED and place.person not in tiles:
            tiles[place.person] = builder.never_told(place.person, place)
    return [tiles[person] for person in sorted(tiles)]


class _Builder:
    def __init__(self, state: ClientState, holding: Iterable[FollowUp]) -> None:
        self._state: Final = state
        self._of_wait: Final[dict[str, FollowUp]] = {}
        self._of_person: Final[dict[str, FollowUp]] = {}
        for held in holding:
            if held.conversation:
                self._of_wait[held.conversation] = held
            else:
                self._of_person[held.person] = held

    def tile(self, person: str, standing: Standing) -> PersonTile:
        state = self._state
        place = state.place_of(standing.accounts[0], state.as_of)
        sources = [state.feeds.state.sources[name] for name in standing.sources if name in state.feeds.state.sources]
        waits = sorted(self._waits(standing.accounts), key=lambda wait: (wait[1].since, wait[0]))
        dues = [wait.due_at for _, wait in waits if wait.due_at is not None]
        overdue = sum(wait.is_overdue for _, wait in waits)
        undecided = sum(wait.is_overdue and not state.is_decided(conversation) for conversation, wait in waits)
        followed = next((self._of_wait[key] for key, _ in waits if key in self._of_wait), self._of_person.get(person))
        return PersonTile(
            id=person,
            client=state.client,
            team=place.team,
            seat=place.seat,
            site=place.site,
            presence=standing.presence,
            activity=standing.activity,
            since=standing.since,
            hands=standing.hands,
            limit=standing.limit,
            waiting=len(waits),
            overdue=overdue,
            oldest_since=waits[0][1].since if waits else None,
            due_at=min(dues, default=None),
            overdue_today=state.misses.by_person[person] + undecided,
            stale_since=stale_since(sources),
            followed_at=None if followed is None else followed.at,
            followed_by="" if followed is None else followed.by,
            oldest=waits[0][0] if waits else "",
        )

    def never_told(self, person: str, place: Place) -> PersonTile:
        followed = self._of_person.get(person)
        return PersonTile(
            id=person,
            client=self._state.client,
            team=place.team,
            seat=place.seat,
            site=place.site,
            followed_at=None if followed is None else followed.at,
            followed_by="" if followed is None else followed.by,
        )

    def _waits(self, accounts: Iterable[str]) -> Iterator[tuple[str, Wait]]:
        for account in accounts:
            for conversation in self._state.people.held.get(account, ()):
                wait = self._state.room.wait_of(conversation)
                if wait is not None and wait.groups:  # of no group: of a feed that tells the day after
                    yield conversation, wait
