"""What a message tells of a battery is what is left in it now, whoever pushed last and whatever it was at first."""

from pathlib import Path

from msgspec.structs import replace

from dashboards.alerting._core.message import AlertTold, Told
from dashboards.alerting.bridge import PagerNow
from dashboards.alerting.on_call import OnCall
from seatwatch.config import parse_config
from seatwatch.server.on_call import on_call
from seatwatch.settings import load_defaults
from sla_engine._core.sites import details_now, fold_sites, new_sites, open_incidents
from tests.dashboards.alerting.bridge_world import bridge_world
from tests.dashboards.alerting.incidents import MINUTE, incident
from tests.dashboards.alerting.test_on_call import T0, TWO_ON_DUTY
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.site_limits import LIMITS
from tests.tidy.source import ROOT
from wire.facility import Power
from wire.incident import Severity

LOW = incident("mains_lost", T0, severity=Severity.CALL, details={"charge_percent": "96"})


def pager_at(now: int, details: dict[str, str] | None) -> OnCall:
    pager = on_call(parse_config(TWO_ON_DUTY, base=ROOT), load_defaults(), lambda: now, lambda _: details)
    pager.take_up([LOW], {})
    return pager


def test_a_charge_that_falls_is_told_without_a_revision_of_the_incident() -> None:
    log, state = Log(), new_sites(LIMITS)
    fold_sites(state, [log.heartbeat("gate", NOON), log.ups("gate", NOON), log.ups("gate", NOON + 1, Power.BATTERY)])
    (said,) = open_incidents(state)
    fold_sites(state, [log.ups("gate", NOON + MINUTE, Power.BATTERY, charge_percent=41)])
    assert [each.revision for each in open_incidents(state)] == [said.revision]
    assert details_now(state, said.incident) == {"charge_percent": "41"}
    fold_sites(state, [log.ups("gate", NOON + 2 * MINUTE)])
    assert details_now(state, said.incident) is None


def test_the_next_on_duty_is_told_what_is_left_by_then() -> None:
    pager = pager_at(T0 + 10 * MINUTE, {"charge_percent": "31"})
    second = next(alert for alert in pager.alerts() if alert.identity.tier == 2)
    labels = {**second.identity.labels(), "replica": "a"}
    assert pager.annotations(labels)["detail_charge_percent"] == "31"
    standing = pager.standing(LOW.incident)
    assert standing is not None
    assert standing.said.details == {"charge_percent": "31"}
    assert pager.annotations({**labels, "incident": "another"}) == {}
    assert pager_at(T0 + 10 * MINUTE, None).annotations(labels)["detail_charge_percent"] == "96"


async def test_a_message_has_the_details_of_now_though_prometheus_told_alertmanager_last(tmp_path: Path) -> None:
    pager = pager_at(T0 + 10 * MINUTE, {"charge_percent": "31"})
    async with bridge_world(tmp_path) as world:
        world.restart(PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations))
        for tier in (1, 2):
            alert = next(each for each in pager.alerts() if each.identity.tier == tier)
            by_a_rule = {"summary_zh": "x", "summary_en": "x", "runbook_url": "/runbooks/mains_lost.md"}
            at = "2025-11-22T04:00:00Z"
            told = AlertTold("firing", alert.identity.labels(), by_a_rule, at, "", str(tier))
            await world.bridge.deliver(["desk"], Told("firing", [told]))
    assert [each["title"].endswith(" charge 31 %") for each in world.hook.taken] == [True, True]


async def test_what_calms_down_to_a_ticket_at_closing_time_is_not_told_as_over(tmp_path: Path) -> None:
    """Beside the pager and apart from it; a line of a site that closes is still down."""
    line = incident("line_down", T0, subject="l1", site="site2")
    pager = pager_at(T0 + 10 * MINUTE, None)
    pager.take_up([line], {})
    alert = next(each for each in pager.alerts() if each.identity.what == "line_down")
    began, ended = "2025-11-22T04:00:00Z", "2025-11-22T04:10:00Z"
    fires = AlertTold("firing", alert.identity.labels(), {}, began, "", "1")
    pager.said([replace(line, revision=1, severity=Severity.TICKET)])
    calm = AlertTold("resolved", alert.identity.labels(), {}, began, ended, "1")
    by_push = replace(calm, annotations=pager.annotations(calm.labels))
    beside = PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations)
    for directory, knows, told in ((tmp_path / "beside", beside, calm), (tmp_path / "apart", None, by_push)):
        directory.mkdir()
        async with bridge_world(directory) as world:
            world.restart(knows)
            for each in (fires, told, told, calm):
                assert await world.bridge.deliver(["desk"], Told("", [each])) == []
        assert [message["title"].split("]")[0] for message in world.hook.taken] == ["[Alert", "[Less urgent"]
        assert world.hook.taken[1]["lines"] == ["site2 Line down l1 (since 12:00:00, goes on as: ticket)"]
    pager.said([replace(line, revision=2, what="line_degraded", severity=Severity.TICKET)])
    assert pager.annotations(calm.labels)["goes_on"] == "ticket line_degraded"
    pager.said([replace(line, revision=3, ended_at=T0 + 11 * MINUTE)])
    assert "goes_on" not in pager.annotations(calm.labels)


async def test_an_end_that_only_says_the_server_was_away_is_told_to_nobody(tmp_path: Path) -> None:
    """After a minute without a word Alertmanager takes an alert for over; the server that comes back knows better."""
    pager = pager_at(T0 + 10 * MINUTE, None)
    alert = next(each for each in pager.alerts() if each.identity.tier == 1)
    began, ended = "2025-11-22T04:00:00Z", "2025-11-22T04:05:00Z"
    fires = AlertTold("firing", alert.identity.labels(), {}, began, "", "1")
    over = AlertTold("resolved", alert.identity.labels(), {}, began, ended, "1")
    async with bridge_world(tmp_path) as world:
        world.restart(PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations))
        for each in (fires, over, fires):
            assert await world.bridge.deliver(["desk"], Told("", [each])) == []
        assert [message["is_resolved"] for message in world.hook.taken] == [False]
        pager.said([replace(LOW, revision=1, ended_at=T0 + 11 * MINUTE)])
        assert await world.bridge.deliver(["desk"], Told("", [over])) == []
        assert [message["is_resolved"] for message in world.hook.taken] == [False, True]
