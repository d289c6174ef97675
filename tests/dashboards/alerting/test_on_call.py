"""The pager at work over time: a restart changes nothing, and what was taken on stays so."""

from dashboards.alerting._core.message import AlertTold, Told, without_replaced
from dashboards.alerting._core.pager import TakenOn
from dashboards.alerting.on_call import OnCall
from seatwatch.config import parse_config
from seatwatch.server.on_call import on_call
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import MINUTE, incident
from tests.tidy.source import ROOT

T0 = 1_763_784_000_000
TWO_ON_DUTY = """
[[duty]]
name = "first"
channels = ["caller"]
[[duty]]
name = "second"
channels = ["caller"]
[[channel]]
id = "caller"
kind = "command"
command = ["/bin/true"]
"""


def pager_at(now: int) -> OnCall:
    return on_call(parse_config(TWO_ON_DUTY, base=ROOT), load_defaults(), lambda: now)


def tiers(pager: OnCall) -> list[int]:
    return sorted(alert.identity.tier for alert in pager.alerts())


def test_after_a_restart_the_next_on_duty_is_called_where_nobody_took_it_on_and_only_there() -> None:
    said = [incident("mains_lost", T0)]
    nobody, somebody = pager_at(T0 + 30 * MINUTE), pager_at(T0 + 30 * MINUTE)
    nobody.take_up(said, {})
    somebody.take_up(said, {said[0].incident: TakenOn("floor", T0 + MINUTE)})
    assert tiers(nobody) == [1, 2]
    assert tiers(somebody) == [1]


def test_a_revision_said_before_the_open_ones_are_taken_up_is_not_undone_by_them() -> None:
    pager = pager_at(T0 + MINUTE)
    pager.said([incident("mains_lost", T0, revision=2, ended_at=None)])
    pager.take_up([incident("mains_lost", T0, revision=1)], {})
    assert [said.revision for said in pager.open()] == [2]


def test_an_end_that_a_firing_alert_replaces_is_left_out() -> None:
    fires = AlertTold("firing", {"incident": "i-1"}, {}, "", "", "a")
    replaced = AlertTold("resolved", {"incident": "i-1"}, {}, "", "", "b")
    over = AlertTold("resolved", {"incident": "i-2"}, {}, "", "", "c")
    assert without_replaced(Told("firing", [fires, replaced, over]).alerts) == [fires, over]
