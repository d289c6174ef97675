"""The pager at work over time: a restart changes nothing, and what was taken on stays so."""

import msgspec

from dashboards.alerting._core.message import AlertTold, Told, without_replaced
from dashboards.alerting._core.pager import TakenOn
from dashboards.alerting._core.wording import alert_annotations
from dashboards.alerting.on_call import OnCall
from dashboards.wallboard._core.names import Names
from seatwatch.config import parse_config
from seatwatch.server.on_call import annotation_words, on_call
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.incidents import MINUTE, incident, paged
from tests.tidy.source import ROOT
from wire.incident import Severity

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
    at = "2025-11-22T04:11:02Z"
    fires = AlertTold("firing", {"incident": "i-1"}, {}, at, "", "a")
    replaced = AlertTold("resolved", {"incident": "i-1"}, {}, at, at, "b")
    over = AlertTold("resolved", {"incident": "i-2"}, {}, at, at, "c")
    assert without_replaced(Told("firing", [fires, replaced, over]).alerts) == [fires, over]


def test_people_are_told_which_seats_are_down_and_no_label_is() -> None:
    pager = pager_at(T0 + 2 * MINUTE)
    pager.take_up([incident("seat_down", T0 + number, subject=f"A-{number}") for number in range(8)], {})
    alert = next(alert for alert in pager.alerts() if alert.identity.tier == 1)
    told = alert_annotations(annotation_words(), alert, "/runbooks", names=Names())
    assert told["subjects"] == "A-0, A-1, A-2, A-3, A-4, A-5 +2"
    assert told["incidents"] == "8"
    assert "A-0" not in str(alert.identity.labels().get("subject", ""))


def test_what_was_left_in_a_battery_is_told_to_people_and_makes_no_other_alert() -> None:
    details = {"charge_percent": "37", "minutes_left": "6"}
    (known,) = paged(incident("battery_low", T0, details=details), T0)
    (unknown,) = paged(incident("battery_low", T0), T0)
    assert known.identity.labels() == unknown.identity.labels()
    told, untold = (alert_annotations(annotation_words(), alert, "", names=Names()) for alert in (known, unknown))
    assert told == untold | {"detail_charge_percent": "37", "detail_minutes_left": "6"}


def test_what_is_suspected_or_planned_is_told_so() -> None:
    for said, flags in (
        (incident("battery_low", T0, severity=Severity.CALL, is_planned=True), {"planned"}),
        (msgspec.structs.replace(incident("site_silent", T0), is_suspected=True), {"suspected"}),
        (incident("mains_lost", T0), set()),
    ):
        (alert,) = paged(said, T0)
        assert (
            alert_annotations(annotation_words(), alert, "", names=Names()).keys() & {"planned", "suspected"} == flags
        )


def test_people_read_what_a_site_is_called_in_each_language_and_labels_keep_its_id() -> None:
    text = TWO_ON_DUTY + '[[site]]\nid = "site1"\nname = "苏州职场"\nname_en = "Suzhou"\n'
    pager = on_call(parse_config(text, base=ROOT), load_defaults(), lambda: T0 + 2 * MINUTE)
    pager.take_up([incident("mains_lost", T0)], {})
    labels = pager.alerts()[0].identity.labels()
    told = pager.annotations(labels)
    assert labels["site"] == "site1"
    assert (told["summary_zh"].partition(": ")[0], told["summary_en"].partition(": ")[0]) == ("苏州职场", "Suzhou")
