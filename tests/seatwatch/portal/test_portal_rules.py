"""The rules page says in plain words what holds on any day, and what on single ones."""

from zoneinfo import ZoneInfo

import msgspec

from dashboards.portal.record import RulesPage
from seatwatch.config import Config
from seatwatch.glossary import Language, words
from seatwatch.portal.rules_page import rules_page
from seatwatch.printed.teller import Teller
from sla_engine._core.contract import SpecialTarget
from sla_engine._core.definition import ServiceWindow, SpecialDay, WeekdayWindows, YearlyDay
from tests.builders import changed, contract, ms

SHORT = (ServiceWindow(10 * 60, 18 * 60),)
LATE = (ServiceWindow(20 * 60, 26 * 60),)
OTHER_DAYS = [
    "Sun: service window 10:00-18:00",
    "Each year 10-01: service window closed",
    "2026-11-11: service window 20:00-02:00, a first response within 15.000 s is in time",
    "2026-12-31: service window 10:00-18:00",
]
TARGETS = [
    "Contracted attainment: 95.00 %",
    "Contracted attainment on 2026-11-11: 85.00 %",
    "No percentage is contracted on 2026-12-31",
]


def page(language: Language) -> RulesPage:
    definition = changed(
        weekday_windows=(WeekdayWindows(6, SHORT),),
        yearly_days=(YearlyDay("10-01", ()),),
        special_days=(SpecialDay("2026-11-11", LATE, 15_000), SpecialDay("2026-12-31", SHORT)),
    )
    targets = (SpecialTarget("2026-11-11", 8_500), SpecialTarget("2026-12-31", None))
    agreed = msgspec.structs.replace(contract(definition.name), attainment_target_bp=9_500, special_targets=targets)

    def teller(zone: str) -> Teller:
        return Teller(language, ZoneInfo(zone), {}, Config().names())

    return rules_page([definition], [agreed], ms("12:00"), teller, "Asia/Shanghai")


def test_promotion_days_holidays_and_their_targets_are_told_in_plain_words() -> None:
    english, chinese = page("en"), page("zh")
    lines = english.definitions[0].lines
    usual = lines.index("A first response within 10.000 s is in time; a warning from 6.000 s")
    assert list(lines[usual + 1 : usual + 5]) == OTHER_DAYS
    assert [line for line in english.contracts[0].lines if "percentage" in line or "%" in line] == TARGETS
    assert len(chinese.definitions[0].lines) == len(lines)
    assert words()["portal_rule_closed"].zh in chinese.definitions[0].lines[usual + 2]
