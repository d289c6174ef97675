"""What was not well at a site: what came again and again is told once, with how often, and each time below it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from dashboards.portal.site_record import LanePicture, Look, Mark, Repeated, Spell, Stretch
from seatwatch.printed.incident_words import IncidentTeller

MS_PER_S: Final = 1_000
_JUDGED: Final = {Look.WARN: "portal_look_warn", Look.BAD: "portal_look_bad", Look.NONE: "no_data"}


def spells(lanes: Iterable[LanePicture], tell: IncidentTeller, listed_max: int) -> tuple[Repeated[Spell], ...]:
    """By lane and state, the one that came last first.

    listed_max: of all together, so many are told one by one, and of each kind the latest in any case.
    """
    found = [(each, lane) for lane in lanes for each in lane.stretches if each.look in _JUDGED]
    found.sort(key=lambda pair: (-pair[0].since, pair[1].title))
    together: dict[tuple[str, str], list[tuple[int, Stretch]]] = defaultdict(list)
    for place, (each, lane) in enumerate(found):
        # how many seats were there is told apart each time, and of one trouble all the same
        kind = each.look if lane.level else each.word
        together[lane.title, kind].append((place, each))
    return tuple(
        Repeated(
            title,
            shown[0][1].word if len({each.word for _, each in shown}) == 1 else tell.word(_JUDGED[shown[0][1].look]),
            len(shown),
            *_lasted((each.since, each.until) for _, each in shown),
            tuple(_spell(each, tell) for number, (place, each) in enumerate(shown) if not number or place < listed_max),
        )
        for (title, _), shown in together.items()
    )


def events(marks: Sequence[Mark]) -> tuple[Repeated[Mark], ...]:
    """Incidents of one kind at one place together, the one that came last first. marks: by their start."""
    together: dict[str, list[Mark]] = defaultdict(list)
    for mark in reversed(marks):
        together[mark.headline].append(mark)
    return tuple(
        Repeated(headline, "", len(shown), *_lasted((each.since, each.until) for each in shown), tuple(shown))
        for headline, shown in together.items()
    )


def _spell(each: Stretch, tell: IncidentTeller) -> Spell:
    since, until = (tell.at(at)[:-4] for at in (each.since, each.until))
    return Spell(each.word, since, until, _lasting(each.until - each.since))


def _lasted(times: Iterable[tuple[int, int]]) -> tuple[str, str]:
    """All of them together, and the longest."""
    lasted = [until - since for since, until in times]
    return _lasting(sum(lasted)), _lasting(max(lasted))


def _lasting(ms: int) -> str:
    minutes, seconds = divmod(ms // MS_PER_S, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
