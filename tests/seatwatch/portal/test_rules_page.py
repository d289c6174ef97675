"""The page of the rules says what a client asks of a contract: targets of promotion days, where a month is cut."""

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from seatwatch.portal.rules_page import rules_page
from seatwatch.printed.teller import Teller
from sla_engine._core.contract import SpecialTarget
from sla_engine.definition_files import load_preset
from tests.builders import contract, ms


def test_promotion_days_the_cut_of_the_month_and_unofficial_rules_are_told() -> None:
    preset = load_preset("pdd-3min")
    targets = (SpecialTarget("2026-11-11", 9_000), SpecialTarget("2026-11-12", None))
    agreed = replace(contract(preset.name), special_targets=targets, period_starts_minute=240)
    page = rules_page([preset], [agreed], ms("09:00"), lambda zone: Teller("en", ZoneInfo(zone)), "Asia/Shanghai")
    for line in (
        "Contracted attainment on 2026-11-11: 90.00 %",
        "No percentage is contracted on 2026-11-12",
        "Settled by: Month, cut at 04:00 on the first",
    ):
        assert line in page.contracts[0].lines
    assert "(unofficial)" in page.definitions[0].title
