"""Mains that take every broadband line with them, while the probe still reports by a third way: one cause, one page."""

import pytest

from dashboards.alerting._core.pager import Holds, Pager, PagerSettings
from seatwatch.settings import load_defaults
from sla_engine._core.sites import fold_sites, new_sites
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, SECOND, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power
from wire.incident import LINES_LOST, IncidentSaid, MaintenanceOf
from wire.recorded import Recorded
from wire.uplink import LineState

DEFAULTS = load_defaults()
PAGING = DEFAULTS.fill(PagerSettings, "paging", holds=DEFAULTS.fill(Holds, "paging", prefix="hold_"), tiers=2)


class Night:
    """A site with a UPS and two lines, its pager, and the titles it paged in their order."""

    def __init__(self, at: int = NOON) -> None:
        self.log = Log()
        self.state = new_sites(LIMITS)
        self.pager = Pager(PAGING)
        self.paged: dict[str, None] = {}
        self.at = at
        self.tell(*two_lines(self.log, at), self.log.ups("gate", at))

    def tell(self, *entries: Recorded) -> None:
        self.wait(entries[-1].received_at - 1)
        fold_sites(self.state, entries)
        self.pager.hear(self.state.unsaid, entries[-1].received_at)
        self.state.unsaid.clear()
        self.wait(entries[-1].received_at)

    def wait(self, until: int) -> None:
        while (wake_at := self.pager.next_wake_at()) is not None and wake_at <= until:
            self.look(wake_at)
        self.look(until)

    def look(self, now: int) -> None:
        self.pager.advance(now)
        firing = (alert for alert in self.pager.alerts() if alert.ended_at is None and alert.identity.tier == 1)
        self.paged |= {f"{each.identity.what}/{each.identity.severity}": None for each in firing}

    def mains(self, after_ms: int, power: Power = Power.BATTERY) -> None:
        self.tell(self.log.ups("gate", self.at + after_ms, power))

    def lines(self, after_ms: int, state: LineState, *names: str) -> None:
        for name in names or ("telecom", "unicom"):
            self.tell(self.log.line("gate", self.at + after_ms, name, state))

    def open(self, what: str) -> IncidentSaid:
        return next(each.said for each in self.state.open.values() if each.said.what == what)

    def details(self, what: str) -> dict[str, str]:
        return next(each.finding.details for each in self.state.open.values() if each.finding.what == what)


@pytest.mark.parametrize("lines_ms", [100, 900, 2_100, 12_000, 20_000])
@pytest.mark.parametrize("at", [NOON, NIGHT])
def test_mains_that_take_both_lines_with_them_call_once_and_name_the_lines(at: int, lines_ms: int) -> None:
    """Whichever is told first: a cable is noticed in 0.1 s, a UPS in two or three, a far end in three."""
    site = Night(at)
    told = sorted([(2_000, "mains"), (lines_ms, "lines")])
    for when, what in told:
        site.mains(when) if what == "mains" else site.lines(when, LineState.DOWN)
    site.wait(at + HOUR)
    called = ["mains_lost/page", "mains_lost/call"] if lines_ms > 17_000 else ["mains_lost/call"]
    assert [*site.paged] == called, "louder once, where they went when people were told of the mains already"
    assert site.details("mains_lost")[LINES_LOST] == "telecom, unicom"
    assert site.open("lines_down").severity == "call"


def test_lines_that_stay_dead_after_the_power_is_back_page_by_themselves_once_routers_had_time_to_start() -> None:
    site = Night()
    site.mains(SECOND)
    site.lines(2 * SECOND, LineState.DOWN)
    site.mains(10 * MINUTE, Power.MAINS)
    site.wait(NOON + 11 * MINUTE - 1)
    assert [*site.paged] == ["mains_lost/call"]
    site.wait(NOON + 11 * MINUTE + SECOND)
    assert [*site.paged] == ["mains_lost/call", "lines_down/call"]


def test_lines_that_come_back_with_the_power_page_nobody_further() -> None:
    site = Night()
    site.mains(SECOND)
    site.lines(2 * SECOND, LineState.DOWN)
    site.mains(10 * MINUTE, Power.MAINS)
    site.lines(10 * MINUTE + 40 * SECOND, LineState.UP)
    site.wait(NOON + HOUR)
    assert [*site.paged] == ["mains_lost/call"]
    assert not site.state.open


def test_a_dip_of_the_mains_that_restarts_the_routers_pages_only_where_they_stay_away() -> None:
    site = Night()
    site.mains(SECOND)
    site.lines(2 * SECOND, LineState.DOWN)
    site.mains(5 * SECOND, Power.MAINS)
    site.wait(NOON + MINUTE)
    assert not site.paged
    site.wait(NOON + 2 * MINUTE)
    assert [*site.paged] == ["lines_down/call"]


def test_lines_that_fail_long_after_or_long_before_the_mains_are_a_cause_of_their_own() -> None:
    after = Night()
    after.mains(SECOND)
    after.lines(5 * MINUTE, LineState.DOWN)
    after.wait(NOON + HOUR)
    assert [*after.paged] == ["mains_lost/page", "lines_down/call"]
    before = Night()
    before.lines(SECOND, LineState.DOWN)
    before.mains(5 * MINUTE)
    before.wait(NOON + HOUR)
    assert [*before.paged] == ["lines_down/call", "mains_lost/page"]


def test_one_line_that_was_dead_before_did_not_go_with_the_mains() -> None:
    site = Night()
    site.lines(SECOND, LineState.DOWN, "unicom")
    site.mains(HOUR)
    site.lines(HOUR + SECOND, LineState.DOWN, "telecom")
    site.wait(NOON + 2 * HOUR)
    assert [*site.paged] == ["line_down/ticket", "mains_lost/call"]
    assert site.details("mains_lost")[LINES_LOST] == "telecom"


def test_a_line_of_two_that_goes_with_the_mains_makes_them_no_louder() -> None:
    site = Night()
    site.mains(SECOND)
    site.lines(2 * SECOND, LineState.DOWN, "telecom")
    site.wait(NOON + HOUR)
    assert [*site.paged] == ["mains_lost/page"]


@pytest.mark.parametrize(("of", "subject"), [(MaintenanceOf.UPS, "rack"), (MaintenanceOf.LINE, "telecom")])
def test_lines_that_go_in_a_planned_test_of_the_ups_call_by_themselves(of: MaintenanceOf, subject: str) -> None:
    """Work on one line of two is no work on both: then the mains are what took them."""
    site = Night()
    site.tell(site.log.maintenance(NOON, NOON, NOON + HOUR, of=of, subject=subject))
    site.mains(MINUTE)
    site.lines(MINUTE + SECOND, LineState.DOWN)
    site.wait(NOON + 30 * MINUTE)
    assert [*site.paged] == (["lines_down/call"] if of is MaintenanceOf.UPS else ["mains_lost/call"])


def test_when_the_mains_flap_lines_that_went_with_them_are_given_time_to_start_too() -> None:
    site = Night()
    for minute in range(3):
        site.mains(minute * MINUTE)
        site.mains(minute * MINUTE + 2 * SECOND, Power.MAINS)
    site.mains(3 * MINUTE)
    site.lines(3 * MINUTE + SECOND, LineState.DOWN)
    site.mains(3 * MINUTE + 3 * SECOND, Power.MAINS)
    site.wait(NOON + 4 * MINUTE)
    assert not [each for each in site.paged if each.startswith("lines")]
    site.wait(NOON + 4 * MINUTE + 4 * SECOND)
    assert "lines_down/call" in site.paged
