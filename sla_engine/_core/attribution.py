"""Why a reply was late: what stood in the way while the customer waited, and whether it was met but for that.

Pure: misses and impairments in, a trace for each miss out. What stood in the way takes time out of the wait; if what
is left of it is within the limit, the reply would have been in time but for it.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from wire.incident import Cause

ORDER: Final = (
    Cause.SITE_POWER,
    Cause.UPLINK,
    Cause.SITE_SILENT,
    Cause.SEAT_GROUP,
    Cause.SEAT_DOWN,
    Cause.PHONE_LINE,
    Cause.PLATFORM,
    Cause.ACCOUNT_OFFLINE,
    Cause.FEED_GAP,
    Cause.AGENT_ABSENT,
    Cause.SURGE,
    Cause.SATURATION,
)
"""What explains more comes first: without power the lines say nothing, and a surge saturates people."""
LOAD: Final = frozenset({Cause.SURGE, Cause.SATURATION})
_KEEPS_OUT: Final = frozenset({Cause.PLATFORM, Cause.PHONE_LINE, Cause.FEED_GAP})
"""Whom these keep from asking comes when they are over, all at once."""
# Format: later than any instant of wire/limits.py.
OPEN_END: Final = 1 << 62
_PERCENT: Final = 100
# Format: one chance in two.
_EVEN: Final = 2
"""More likely than not."""
_AWAY: Final = frozenset({Cause.AGENT_ABSENT, Cause.ACCOUNT_OFFLINE})


class AfterLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[incidents]` in defaults.toml.

    shifted_percent: so many of those who serve a queue, taken away, make more work for the others. aftermath_ms: how
    long after a trouble what it left behind is worked off. pile: so many waiting before one are a pile.
    """

    shifted_percent: int
    aftermath_ms: int
    pile: int


class Impaired(msgspec.Struct, frozen=True, kw_only=True):
    """Something stood in the way within [since, until), ms; until = OPEN_END while it lasts.

    Whom it hit: everybody, or as far as they are given the seats, the account, the site, the queue, the source that
    tells of it. spared: sites that it did not hit. incident: its id, "" where it is none. voice: only calls (True),
    only chats (False), both (None).
    """

    cause: Cause
    since: int
    until: int = OPEN_END
    site: str = ""
    seats: frozenset[str] | None = None
    account: str = ""
    queue: str = ""
    source: str = ""
    voice: bool | None = None
    incident: str = ""
    spared: frozenset[str] = frozenset()


class Held(msgspec.Struct, frozen=True):
    """A stay in one person's hands, within [since, until), ms."""

    account: str
    seat: str
    site: str
    since: int
    until: int


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A first response that came late or never. since: the customer's clock started. until: the reply, or the end.

    held: in whose hands it was meanwhile. home_sites: where most of those who serve its queue sit; while nobody has it,
    what hits such a site hits it. alone_since: from when on whoever replied did nothing else: what took longer than
    that was no load. ahead: how many others that person owed a first reply when this one came. busy_since: from when
    on, without a pause, somebody waited for that person. before: others whom that person answered meanwhile, as (start
    of the stay, reply), by reply. peers: a stay of each account that serves its queue. presences_told: whether a source
    tells who is there.
    """

    conversation: str
    session: int
    queue: str
    source: str
    voice: bool
    since: int
    due_at: int
    until: int
    held: tuple[Held, ...] = ()
    home_sites: frozenset[str] = frozenset()
    alone_since: int = 0
    ahead: int = 0
    busy_since: int = OPEN_END
    before: tuple[tuple[int, int], ...] = ()
    peers: tuple[Held, ...] = ()
    presences_told: bool = False


class Candidate(msgspec.Struct, frozen=True):
    """Something that stood in the way of a miss, for how much of its wait, and whether it was met but for it."""

    cause: Cause
    incident: str
    overlap_ms: int
    but_for: bool


class Trace(msgspec.Struct, frozen=True):
    """Why a miss. cause: NONE where nothing that is known would have made the difference; candidates: all there was."""

    cause: Cause
    incident: str
    candidates: tuple[Candidate, ...]

    @property
    def but_for(self) -> bool:
        """Whether it would have been met but for its cause."""
        return self.cause is not Cause.NONE


def trace(miss: Miss, impaired: Sequence[Impaired], limits: AfterLimits) -> Trace:
    """What stood in the way of one miss, the likeliest explanation first.

    Load that follows a trouble is the trouble's: where both together made the difference, where a pile was left behind,
    or where so many of those who serve the queue were taken away that the others had more to do. A wave that made it by
    itself follows nothing that keeps people from answering: customers do not come for that.
    """
    near = _near(miss, impaired, limits)
    spans: dict[tuple[Cause, str], list[tuple[int, int]]] = {}
    for each in near:
        found = _hit(miss, each)
        if found:
            spans.setdefault((each.cause, each.incident), []).extend(found)
    load = [span for (cause, _), found in spans.items() if cause in LOAD for span in found]
    candidates = sorted(
        (
            Candidate(cause, incident, _length(found), _met_without(miss, _length(found)))
            for (cause, incident), found in spans.items()
        ),
        key=lambda each: (ORDER.index(each.cause), -each.overlap_ms, each.incident),
    )
    first = (each for each in candidates if each.but_for and each.cause not in LOAD)
    with_load = (
        each
        for each in candidates
        if each.cause not in LOAD and _met_without(miss, _length([*spans[each.cause, each.incident], *load]))
    )
    by_load = (each for each in candidates if each.but_for)
    indirectly = next(with_load, None) or _held_up(miss, near) or _led_to(miss, near, limits, impaired)
    wave = next((each for each in candidates if each.but_for and each.cause is Cause.SURGE), None)
    if wave is not None and indirectly is not None and indirectly.cause not in _KEEPS_OUT:
        indirectly = None
    chosen = next(first, None) or indirectly or wave or next(by_load, None)
    if chosen is None:
        return Trace(Cause.NONE, "", tuple(candidates))
    return Trace(chosen.cause, chosen.incident, tuple(candidates))


def _near(miss: Miss, impaired: Sequence[Impaired], limits: AfterLimits) -> list[Impaired]:
    """What may have to do with a miss at all: of a month's absences a handful. What follows looks at each in turn."""
    since = min(miss.since - limits.aftermath_ms, miss.busy_since)
    return [each for each in impaired if each.since < miss.until and since < each.until]


def _held_up(miss: Miss, impaired: Sequence[Impaired]) -> Impaired | None:
    """The trouble that kept whoever replied from work, which then had to be done one after the other."""
    if not miss.held or not miss.before:
        return None
    found = [
        each
        for each in impaired
        if each.cause not in LOAD
        and each.since < miss.until
        and each.voice in {None, miss.voice}
        and _is_about_people(each)
        and miss.busy_since < each.until
        and _hits(each, miss.held[-1], miss)
        and _wait_without(miss, each) <= miss.due_at - miss.since
    ]
    return min(found, key=_likeliest, default=None)


def _wait_without(miss: Miss, each: Impaired) -> int:
    """How long the wait would have been without `each`: the same work in the same order, without the standstill."""
    done = worked_until = 0
    for start, replied_at in miss.before:
        done = max(done, start) + _worked(max(start, worked_until), replied_at, each)
        worked_until = replied_at
    return max(0, done - miss.since) + _worked(max(miss.alone_since, miss.since), miss.until, each)


def _worked(since: int, until: int, each: Impaired) -> int:
    """Of [since, until), ms, what `each` left to work in."""
    return max(0, until - since) - max(0, min(until, each.until) - max(since, each.since))


def _led_to(miss: Miss, near: Sequence[Impaired], limits: AfterLimits, impaired: Sequence[Impaired]) -> Impaired | None:
    """The trouble that made whoever replied busy with others, where the reply by itself was quick enough.

    near: those of `impaired` that may be it; when people went away is looked up among all of them.
    """
    if not near or miss.until - miss.alone_since > miss.due_at - miss.since:
        return None
    absences = [each for each in impaired if each.account and each.cause in _AWAY]
    found = [
        each
        for each in near
        if each.cause not in LOAD
        and each.since < miss.until
        and miss.since < each.until + limits.aftermath_ms
        and miss.busy_since < each.until
        and each.voice in {None, miss.voice}
        and (_took_away(each, miss, limits, absences) or (miss.ahead >= limits.pile and _left_behind(each, miss)))
    ]
    return min(found, key=_likeliest, default=None)


def _likeliest(each: Impaired) -> tuple[int, int, str]:
    return ORDER.index(each.cause), each.since, each.incident


def _took_away(each: Impaired, miss: Miss, limits: AfterLimits, absences: Sequence[Impaired]) -> bool:
    """An incident that took enough others who serve the queue away, so that their work came to those who were left.

    From when on they are known to be away, each customer came here only for that as likely as anybody is away. It
    counts where more likely than not one of those ahead did, or this one, who elsewhere would have had nobody ahead.
    """
    away = [peer for peer in miss.peers if _hits(each, peer, miss)]
    is_much = len(away) * _PERCENT >= limits.shifted_percent * len(miss.peers) > 0
    if not each.incident or not is_much or not miss.ahead:
        return False
    since: int | None = each.since
    if miss.presences_told:
        since = _known_away_since(each, {peer.account for peer in away}, absences)
    if since is None or miss.since < since:
        return False
    sent = miss.ahead + (miss.since < each.until)
    ways: int = len(miss.peers) ** sent
    ways_without: int = (len(miss.peers) - len(away)) ** sent
    return _EVEN * ways_without <= ways


def _known_away_since(each: Impaired, accounts: set[str], absences: Sequence[Impaired]) -> int | None:
    """From when on a platform gave these nothing more; None where it never noticed."""
    told = (gone.since for gone in absences if gone.account in accounts and each.since <= gone.since < each.until)
    return min(told, default=None)


def _left_behind(each: Impaired, miss: Miss) -> bool:
    """It kept the very person who replied from working, who then had a pile to work off."""
    return _is_about_people(each) and any(_hits(each, held, miss) for held in miss.held)


def _is_about_people(each: Impaired) -> bool:
    return bool(each.site or each.account) or each.seats is not None


def _met_without(miss: Miss, overlap_ms: int) -> bool:
    return (miss.until - miss.since) - overlap_ms <= miss.due_at - miss.since


def _hit(miss: Miss, each: Impaired) -> list[tuple[int, int]]:
    """The parts of the wait in which `each` stood in the way of whoever had the conversation."""
    since, until = max(miss.since, each.since), min(miss.until, each.until)
    if each.cause in LOAD:
        # what a wave piled up is worked off without a pause, and is load until the person turns to this one
        is_pile = each.cause is Cause.SURGE and miss.busy_since < each.until <= miss.until
        until = min(miss.until if is_pile else until, max(miss.alone_since, miss.since))
    general = (each.queue in {"", miss.queue}) and (each.source in {"", miss.source})
    if since >= until or not general or each.voice not in {None, miss.voice}:
        return []
    if each.site == "" and each.seats is None and each.account == "" and not each.spared:
        return [(since, until)]
    return [
        (max(since, start), min(until, end))
        for held, start, end in _hands(miss)
        if max(since, start) < min(until, end) and _hits(each, held, miss)
    ]


def _hands(miss: Miss) -> list[tuple[Held | None, int, int]]:
    """The wait cut into stays in somebody's hands, and times in nobody's."""
    found: list[tuple[Held | None, int, int]] = []
    at = miss.since
    for held in sorted(miss.held, key=lambda each: each.since):
        start, end = max(held.since, at), min(held.until, miss.until)
        if start >= end:
            continue
        if at < start:
            found.append((None, at, start))
        found.append((held, start, end))
        at = end
    if at < miss.until:
        found.append((None, at, miss.until))
    return found


def _hits(each: Impaired, held: Held | None, miss: Miss) -> bool:
    if held is None:
        is_at_home = each.site in miss.home_sites if each.site else _hits_most(each, miss)
        return each.seats is None and each.account == "" and is_at_home
    return (
        each.account in {"", held.account}
        and each.site in {"", held.site}
        and held.site not in each.spared
        and (each.seats is None or held.seat in each.seats)
    )


def _hits_most(each: Impaired, miss: Miss) -> bool:
    """Whether at least half of those who serve the queue sit where it was not spared."""
    spared = sum(peer.site in each.spared for peer in miss.peers)
    return _EVEN * spared <= len(miss.peers)


def _length(spans: Sequence[tuple[int, int]]) -> int:
    """How long spans last together, what overlaps counted once."""
    total, reached = 0, 0
    for since, until in sorted(spans):
        total += max(0, until - max(since, reached))
        reached = max(reached, until)
    return total
