"""The pager and what comes and goes: twice it pages, then what it is, and then only what stays."""

import pytest

from dashboards.alerting._core.pager import Identity, Pager
from sla_engine._core.sites import fold_sites, new_sites
from tests.dashboards.alerting.incidents import MINUTE, SECOND, SETTINGS, incident
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power
from wire.incident import Severity

T0 = 1_000_000_000
HOUR = 60 * MINUTE


def kinds_at(pager: Pager, now: int) -> list[str]:
    pager.advance(now)
    return [alert.identity.what for alert in pager.alerts() if alert.ended_at is None]


def pages_of(what: str, *, gone_ms: int, severity: Severity = Severity.PAGE) -> int:
    """How often a trouble pages that comes twelve times within ten minutes, each time for so long."""
    pager, seen = Pager(SETTINGS), set()
    for at in range(T0, T0 + 10 * MINUTE, 50 * SECOND):
        pager.hear([incident(what, at, subject="rack1", severity=severity)], at)
        for now in range(at, at + gone_ms, SECOND):
            pager.advance(now)
        pager.hear([incident(what, at, subject="rack1", severity=severity, ended_at=at + gone_ms, revision=1)], now)
        seen |= {alert.identity for alert in pager.alerts() if alert.identity.tier == 1}
        pager.advance(at + gone_ms)
    return len(seen)


@pytest.mark.parametrize("what", ["mains_lost", "phone_line_down"])
def test_what_comes_and_goes_pages_twice_and_then_only_where_it_stays(what: str) -> None:
    assert pages_of(what, gone_ms=30 * SECOND) == 2
    assert pages_of("battery_low", gone_ms=30 * SECOND, severity=Severity.CALL) == 12


def test_what_stays_after_it_came_and_went_pages_after_a_minute_and_after_ten_minutes_as_ever() -> None:
    pager = Pager(SETTINGS)
    for at in (T0, T0 + MINUTE):
        pager.hear([incident("mains_lost", at)], at)
        pager.advance(at + 20 * SECOND)
        pager.hear([incident("mains_lost", at, ended_at=at + 20 * SECOND, revision=1)], at + 20 * SECOND)
    stays = T0 + 2 * MINUTE
    pager.hear([incident("mains_lost", stays)], stays)
    assert kinds_at(pager, stays + MINUTE - 1) == []
    assert kinds_at(pager, stays + MINUTE) == ["mains_lost"]
    pager.hear([incident("mains_lost", stays, ended_at=stays + MINUTE, revision=1)], stays + MINUTE)
    later = T0 + HOUR
    pager.hear([incident("mains_lost", later)], later)
    assert kinds_at(pager, later + 15 * SECOND) == ["mains_lost"]


def test_mains_that_come_and_go_for_half_an_hour_page_twice_and_then_once_that_they_flap() -> None:
    log, state, pager = Log(), new_sites(LIMITS), Pager(SETTINGS)
    pages: dict[Identity, str] = {}
    told = [log.heartbeat("gate", NOON), log.ups("gate", NOON)]
    for at in range(NOON + SECOND, NOON + 30 * MINUTE, 50 * SECOND):
        told += [log.ups("gate", at, Power.BATTERY), log.clock(at + 20 * SECOND), log.ups("gate", at + 30 * SECOND)]
    for entry in told:
        heard = len(state.unsaid)
        fold_sites(state, [entry])
        pager.hear(state.unsaid[heard:], entry.received_at)
        pager.advance(entry.received_at)
        pages |= {alert.identity: alert.identity.what for alert in pager.alerts() if alert.identity.tier == 1}
    assert [*pages.values()] == ["mains_lost", "mains_lost", "mains_flapping"]
