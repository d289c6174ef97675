"""Definitions drawn at random over every parameter this build computes, with hours of several kinds."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any, TypeVar, get_args, get_type_hints
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sla_engine._core import choices
from sla_engine._core.choices import NeverAnswered
from sla_engine._core.definition import (
    Definition,
    DefinitionError,
    ServiceWindow,
    SpecialDay,
    WeekdayWindows,
    YearlyDay,
    ZoneOffset,
    check,
)
from sla_engine.definition_files import zone_offsets
from tests.builders import PRESET
from wire.conversation import Author, Form

T = TypeVar("T")

PARAMETERS = (
    "unit",
    "clock_start",
    "credit",
    "on_transfer",
    "repeated_turns",
    "out_of_hours",
    "window_closes",
    "answered_out_of_hours",
    "never_answered",
    "left_before_target",
    "turn_ends",
    "nobody_online",
    "outbound",
    "boundary",
    "clock_domains",
    "semantics",
)

GRACE_MS = 96 * 3_600_000
"""Longer than any of these transcripts, so that nothing is let go before it is over."""
REPLIES = (
    (Author.HUMAN,),
    (Author.HUMAN,),
    (Author.HUMAN, Author.ASSIST),
    (Author.HUMAN, Author.BOT, Author.WELCOME),
)


def computed(parameter: str) -> tuple[Any, ...]:
    """The values of a parameter that this build computes."""
    kind = get_type_hints(Definition)[parameter]
    table = getattr(choices, "IMPLEMENTED", {})
    every: Iterable[Any] = kind if isinstance(kind, type) and issubclass(kind, Enum) else get_args(kind)
    return tuple(table.get(parameter, tuple(every)))


def written(one: ServiceWindow) -> str:
    """The other way round."""
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in (one.opens_minute, one.closes_minute))


def window(text: str) -> ServiceWindow:
    opens, closes = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return ServiceWindow(opens, closes)


class Season:
    """A zone, opening hours and the local dates on which something is odd about them."""

    def __init__(self, zone: str, days: Sequence[str], windows: Sequence[str], **given: Any) -> None:
        self.zone = zone
        self.days = days
        self.fields: dict[str, Any] = {
            "time_zone": zone,
            "zone_offsets": tuple(ZoneOffset(*offset) for offset in zone_offsets(zone)),
            "service_windows": tuple(map(window, windows)),
        } | given

    def starts(self) -> list[int]:
        """Instants worth starting a conversation at: noon, and around each edge of a window."""
        edges = {12 * 60}
        for windows in (self.fields["service_windows"], *(day.windows for day in self.fields.get("special_days", ()))):
            for one in windows:
                edges |= {one.opens_minute, one.closes_minute}
        found = []
        for day in self.days:
            midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(self.zone))
            found += [int((midnight + timedelta(minutes=minute)).timestamp()) * 1000 for minute in sorted(edges)]
        return found


SEASONS = (
    Season("Asia/Shanghai", ["2026-11-02"], ["08:00-24:00"]),
    Season(
        "Asia/Shanghai",
        ["2026-11-10", "2026-11-11"],
        ["08:00-24:00"],
        special_days=(
            SpecialDay("2026-11-11", (window("00:00-24:00"),), 15_000),
            SpecialDay("2026-11-12", (window("00:00-02:00"), window("09:00-18:00"))),
        ),
    ),
    Season("Asia/Shanghai", ["2026-11-02"], ["09:00-12:00", "13:30-18:00", "20:00-26:00"]),
    Season("Europe/London", ["2026-10-24", "2026-10-25"], ["08:00-24:00"]),
    Season("Europe/London", ["2026-10-25"], ["00:00-08:00"]),
    Season("Europe/Berlin", ["2026-03-28", "2026-03-29"], ["22:00-30:00"]),
    Season(
        "America/New_York",
        ["2026-11-01"],
        ["09:00-21:00"],
        weekday_windows=(WeekdayWindows(6, (window("10:00-16:00"),)), WeekdayWindows(5, ())),
        yearly_days=(YearlyDay("11-02", ()),),
    ),
    Season("Asia/Shanghai", ["2026-11-02"], ["00:00-24:00"]),
)


def drawn_definition(rng: Random, name: str, season: Season, parameters: Sequence[str] = PARAMETERS) -> Definition:
    """One that contradicts nothing: where two answers do, another one is drawn."""
    while True:
        try:
            drawn = _drawn(rng, name, season, parameters)
            check(drawn)
        except DefinitionError:
            continue
        return drawn


def _drawn(rng: Random, name: str, season: Season, parameters: Sequence[str]) -> Definition:
    """About half of the parameters stay as the preset has them, so that each is seen alone and with others."""
    given: dict[str, Any] = {}
    for parameter in parameters:
        if rng.random() < 0.5:
            given[parameter] = rng.choice(computed(parameter))
    if given.get("never_answered") is NeverAnswered.CAPPED:
        given["unanswered_cap_ms"] = rng.choice((60_000, 600_000))
    if "next_response_limit_ms" not in getattr(choices, "IMPLEMENTED", {}):
        given["next_response_limit_ms"] = rng.choice((None, 5_000, 30_000))
    limit = rng.choice((4_000, 10_000, 30_000, 180_000))
    return replace(
        PRESET,
        name=name,
        effective_from=0,
        grace_ms=GRACE_MS,
        first_response_limit_ms=limit,
        warning_after_ms=limit // 2,
        short_abandon_ms=rng.choice((0, 5_000)),
        gap_to_new_session_ms=rng.choice((0, 20_000, 600_000)),
        valid_reply=rng.choice(
            (
                (Author.HUMAN,),
                (Author.HUMAN,),
                (Author.HUMAN, Author.ASSIST),
                (Author.HUMAN, Author.BOT, Author.WELCOME),
            )
        ),
        inbound_forms=rng.choice(((Form.TEXT, Form.MEDIA, Form.CARD, Form.ORDER_CARD, Form.CALL), (Form.TEXT,))),
        **season.fields,
        **given,
    )
