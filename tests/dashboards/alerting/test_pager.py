"""The pager: what pages, when, whom, and above all what does not."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.alerting._core.kinds import LAYER_OF, Layer, explains, may_explain
from dashboards.alerting._core.pager import Pager, TakenOn
from tests.dashboards.alerting.incidents import MINUTE, SECOND, SETTINGS, incident
from wire.incident import IncidentSaid, Severity

T0 = 1_000_000_000
HOUR = 60 * MINUTE


def heard(*said: IncidentSaid, at: int = T0) -> Pager:
    pager = Pager(SETTINGS)
    pager.hear(said, at)
    pager.advance(at)
    return pager


def firing(pager: Pager) -> list[str]:
    return sorted(
        f"{alert.identity.what}/{alert.identity.subject or '-'}/{alert.identity.severity}/{alert.identity.tier}"
        for alert in pager.alerts()
        if alert.ended_at is None
    )


def firing_at(pager: Pager, now: int) -> list[str]:
    pager.advance(now)
    return firing(pager)


def test_on_battery_is_held_and_then_pages_once() -> None:
    #  OB at 0 ──────── hold 15 s ──────── page ······ still one page a minute later
    pager = heard(incident("mains_lost", T0, subject="rack1"))
    assert firing(pager) == []
    assert pager.next_wake_at() == T0 + 15 * SECOND
    assert firing_at(pager, T0 + 15 * SECOND - 1) == []
    assert firing_at(pager, T0 + 15 * SECOND) == ["mains_lost/rack1/page/1"]
    assert firing_at(pager, T0 + MINUTE) == ["mains_lost/rack1/page/1"]


def test_mains_that_come_back_within_the_hold_page_nobody() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.hear([incident("mains_lost", T0, ended_at=T0 + 9 * SECOND, revision=1)], T0 + 9 * SECOND)
    assert firing_at(pager, T0 + MINUTE) == []
    assert pager.alerts() == []
    assert pager.next_wake_at() is None


def test_a_battery_running_out_pages_at_once_even_during_planned_work() -> None:
    pager = heard(incident("battery_low", T0, severity=Severity.CALL, is_planned=True))
    assert firing(pager) == ["battery_low/-/call/1"]


def test_planned_work_pages_nobody_and_silences_nothing_that_was_not_planned() -> None:
    test = incident("mains_lost", T0, is_planned=True, severity=Severity.INFO)
    seats = incident("seats_lost", T0, subject="row2", is_planned=True, severity=Severity.INFO)
    lines = incident("lines_down", T0 + SECOND, severity=Severity.CALL)
    assert firing_at(heard(test, seats), T0 + 10 * MINUTE) == []
    assert firing_at(heard(test, lines), T0 + MINUTE) == ["lines_down/-/call/1"]


def test_the_end_of_planned_work_holds_nothing_back_that_was_not_planned() -> None:
    pager = heard(incident("mains_lost", T0, is_planned=True), incident("lines_down", T0, severity=Severity.CALL))
    end = T0 + 10 * SECOND
    pager.hear([incident("mains_lost", T0, is_planned=True, ended_at=end, revision=1)], end)
    assert firing_at(pager, T0 + 15 * SECOND) == ["lines_down/-/call/1"]


def test_a_battery_that_ran_out_in_planned_work_silences_neither_lines_nor_the_dark_after_it() -> None:
    low = incident("battery_low", T0, severity=Severity.CALL, is_planned=True)
    pager = heard(low, incident("lines_down", T0, severity=Severity.CALL))
    assert firing_at(pager, T0 + MINUTE) == ["battery_low/-/call/1", "lines_down/-/call/1"]
    assert {alert.identity.layer for alert in pager.alerts()} == {Layer.OTHER, Layer.UPLINK}
    dark = msgspec.structs.replace(low, what="site_power_lost", is_planned=False, revision=1)
    pager.hear([dark], T0 + MINUTE)
    assert "site_power_lost/-/call/1" in firing_at(pager, T0 + 2 * MINUTE)


def test_seats_that_go_dark_with_the_mains_are_explained_even_while_the_mains_are_held() -> None:
    pager = heard(incident("mains_lost", T0), incident("seats_lost", T0, subject="row2"))
    assert firing_at(pager, T0 + 10 * SECOND) == []
    assert firing_at(pager, T0 + 20 * SECOND) == ["mains_lost/-/page/1"]


def test_a_symptom_that_outlasts_its_cause_pages_after_a_while() -> None:
    pager = heard(incident("mains_lost", T0), incident("seats_lost", T0, subject="row2"))
    pager.advance(T0 + 20 * SECOND)
    back = T0 + 10 * MINUTE
    pager.hear([incident("mains_lost", T0, ended_at=back, revision=1)], back)
    assert firing_at(pager, back) == []
    assert pager.next_wake_at() == back + SETTINGS.resolve_after_ms
    assert firing_at(pager, back + MINUTE - 1) == []
    assert firing_at(pager, back + MINUTE) == ["seats_lost/row2/page/1"]


def test_a_symptom_graver_than_its_cause_is_not_kept_quiet() -> None:
    pager = heard(incident("mains_lost", T0), incident("lines_down", T0, severity=Severity.CALL))
    assert firing_at(pager, T0 + MINUTE) == ["lines_down/-/call/1", "mains_lost/-/page/1"]


def test_a_cause_that_is_only_shown_explains_nothing() -> None:
    pager = heard(incident("mains_lost", T0, severity=Severity.INFO), incident("seats_lost", T0, subject="row2"))
    assert firing_at(pager, T0 + MINUTE) == ["seats_lost/row2/page/1"]


def test_two_upses_on_battery_are_one_page() -> None:
    pager = heard(incident("mains_lost", T0, subject="rack1"), incident("mains_lost", T0 + 300, subject="rack2"))
    assert firing_at(pager, T0 + MINUTE) == ["mains_lost/rack1/page/1"]


def test_a_battery_that_runs_out_later_pages_again_and_the_dark_site_after_it_does_not() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.advance(T0 + MINUTE)
    pager.hear([incident("battery_low", T0 + MINUTE, severity=Severity.CALL)], T0 + MINUTE)
    assert firing_at(pager, T0 + MINUTE) == ["battery_low/-/call/1", "mains_lost/-/page/1"]
    pager.hear([incident("site_power_lost", T0 + 2 * MINUTE, severity=Severity.CALL)], T0 + 2 * MINUTE)
    assert firing_at(pager, T0 + 4 * MINUTE) == ["battery_low/-/call/1", "mains_lost/-/page/1"]


def test_each_of_two_lines_pages_under_its_own_name_unless_all_are_down() -> None:
    lines = [incident("line_down", T0, subject=line) for line in ("ct", "cu")]
    assert firing_at(heard(*lines), T0 + MINUTE) == ["line_down/ct/page/1", "line_down/cu/page/1"]
    assert firing_at(heard(*lines, incident("lines_down", T0)), T0 + MINUTE) == ["lines_down/-/page/1"]


def test_a_degraded_line_is_explained_by_its_own_fall_and_not_by_another_lines() -> None:
    down = incident("line_down", T0, subject="ct")
    own, other = (incident("line_degraded", T0, subject=line) for line in ("ct", "cu"))
    assert firing_at(heard(down, own, other), T0 + MINUTE) == ["line_degraded/cu/page/1", "line_down/ct/page/1"]


def test_a_blind_monitor_explains_the_silence_of_every_site() -> None:
    silent = [incident("site_silent", T0, site=site) for site in ("site1", "site2")]
    assert firing_at(heard(*silent, incident("hub_deaf", T0, site="")), T0 + MINUTE) == ["hub_deaf/-/page/1"]


def test_many_seats_of_a_site_are_one_alert_that_names_none() -> None:
    pager = heard(*(incident("seat_down", T0, subject=f"seat-{n:02}", severity=Severity.TICKET) for n in range(40)))
    assert firing_at(pager, T0 + MINUTE) == ["seat_down/-/ticket/1"]
    assert len(pager.alerts()[0].incidents) == 40


def test_only_what_explains_something_is_asked_whether_it_does() -> None:
    pairs = [(cause, symptom) for cause in LAYER_OF for symptom in LAYER_OF if explains(cause, symptom)]
    assert {cause for cause, _ in pairs} <= {what for what in LAYER_OF if may_explain(what)}
    assert not may_explain("seat_down")


def test_nobody_acknowledges_and_the_next_on_duty_is_paged() -> None:
    pager = heard(incident("mains_lost", T0))
    paged = T0 + 15 * SECOND
    assert firing_at(pager, paged) == ["mains_lost/-/page/1"]
    assert pager.next_wake_at() == paged + 5 * MINUTE
    assert firing_at(pager, paged + 5 * MINUTE) == ["mains_lost/-/page/1", "mains_lost/-/page/2"]


def test_an_acknowledgement_keeps_the_next_on_duty_asleep() -> None:
    said = incident("mains_lost", T0)
    pager = heard(said)
    pager.advance(T0 + 15 * SECOND)
    pager.acknowledge(said.incident, TakenOn("floor", T0 + MINUTE))
    assert firing_at(pager, T0 + 30 * MINUTE) == ["mains_lost/-/page/1"]


def test_an_acknowledgement_after_the_next_was_paged_leaves_both_told_until_the_end() -> None:
    said = incident("mains_lost", T0)
    pager = heard(said)
    pager.advance(T0 + 6 * MINUTE)
    pager.acknowledge(said.incident, TakenOn("floor", T0 + 6 * MINUTE))
    assert firing_at(pager, T0 + 30 * MINUTE) == ["mains_lost/-/page/1", "mains_lost/-/page/2"]


@pytest.mark.parametrize(
    ("lesser", "graver", "hold"), [("line_down", "lines_down", 15 * SECOND), ("mains_lost", "battery_low", 0)]
)
def test_who_took_on_the_lesser_trouble_has_not_taken_on_the_graver_one_it_becomes(
    lesser: str, graver: str, hold: int
) -> None:
    said = incident(lesser, T0)
    pager = heard(said)
    pager.advance(T0 + 15 * SECOND)
    pager.acknowledge(said.incident, TakenOn("floor", T0 + MINUTE))
    worse = msgspec.structs.replace(said, what=graver, severity=Severity.CALL, revision=1, occurred_at=T0 + 15 * HOUR)
    pager.hear([worse], T0 + 15 * HOUR)
    paged = T0 + 15 * HOUR + hold
    assert firing_at(pager, paged) == [f"{graver}/-/call/1"]
    assert pager.standing(said.incident) == (worse, T0 + 15 * HOUR, None, 2, paged + 5 * MINUTE)
    assert firing_at(pager, paged + 5 * MINUTE) == [f"{graver}/-/call/1", f"{graver}/-/call/2"]


def test_a_severity_that_rises_after_it_was_taken_on_goes_through_the_duty_list_from_then_on() -> None:
    said = incident("mains_lost", T0)
    pager = heard(said)
    pager.advance(T0 + 15 * SECOND)
    pager.acknowledge(said.incident, TakenOn("floor", T0 + MINUTE))
    pager.hear([grown("mains_lost", Severity.CALL, 1)], T0 + HOUR)
    assert firing_at(pager, T0 + HOUR) == ["mains_lost/-/call/1"]
    assert firing_at(pager, T0 + HOUR + 5 * MINUTE) == ["mains_lost/-/call/1", "mains_lost/-/call/2"]


def test_who_took_it_on_when_it_was_graver_already_is_asked_no_second_time() -> None:
    said = incident("mains_lost", T0)
    pager = heard(said)
    pager.advance(T0 + 15 * SECOND)
    pager.hear([grown("lines_down", Severity.CALL, 1)], T0 + MINUTE)
    ours = TakenOn("floor", T0 + MINUTE + 5 * SECOND)
    pager.acknowledge(said.incident, ours)
    assert firing_at(pager, T0 + HOUR) == ["lines_down/-/call/1"]
    standing = pager.standing(said.incident)
    assert standing is not None
    assert standing.taken_on == ours


def test_how_an_incident_stands_names_who_is_next_until_somebody_takes_it_on() -> None:
    said = incident("mains_lost", T0)
    pager = heard(said)
    firing_at(pager, T0 + 15 * SECOND)
    assert pager.standing(said.incident) == (said, T0, None, 2, T0 + 15 * SECOND + 5 * MINUTE)
    ours = TakenOn("floor", T0 + MINUTE)
    pager.acknowledge(said.incident, ours)
    pager.acknowledge(said.incident, TakenOn("phone", T0 + 2 * MINUTE))
    assert pager.standing(said.incident) == (said, T0, ours, None, None), "whoever was first"
    pager.hear([incident("mains_lost", T0, revision=1, ended_at=T0 + 3 * MINUTE)], T0 + 3 * MINUTE)
    assert pager.standing(said.incident) is None


def test_what_grew_graver_is_told_from_when_on_it_was_that() -> None:
    one = incident("line_down", T0, subject="telecom")
    pager = heard(one)
    pager.advance(T0 + HOUR)
    changes = {"revision": 1, "what": "lines_down", "subject": "", "severity": Severity.CALL}
    both = msgspec.structs.replace(one, occurred_at=T0 + HOUR, **changes)
    pager.hear([both], T0 + HOUR)
    pager.advance(T0 + HOUR + MINUTE)
    assert {alert.started_at for alert in pager.alerts() if alert.ended_at is None} == {T0 + HOUR}
    standing = pager.standing(one.incident)
    assert standing is not None
    assert standing.since == T0 + HOUR


def test_the_next_on_duty_is_told_since_when_the_battery_runs_out_though_the_site_was_dark_meanwhile() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.advance(T0 + 15 * SECOND)
    low_at = T0 + 2 * MINUTE
    for minutes, what in ((2, "battery_low"), (5, "site_power_lost"), (6, "battery_low")):
        said = msgspec.structs.replace(grown(what, Severity.CALL, minutes), occurred_at=T0 + minutes * MINUTE)
        pager.hear([said], said.occurred_at)
        pager.advance(said.occurred_at)
    pager.advance(low_at + 5 * MINUTE)
    firing = [alert for alert in pager.alerts() if alert.ended_at is None]
    told = {(alert.identity.what, alert.identity.tier, alert.started_at) for alert in firing}
    assert told == {("battery_low", 1, low_at), ("battery_low", 2, low_at)}
    standing = pager.standing(firing[0].identity.incident)
    assert standing is not None
    assert standing.since == low_at


def test_a_ticket_wakes_nobody_further() -> None:
    pager = heard(incident("battery_worn", T0, severity=Severity.TICKET))
    assert firing_at(pager, T0 + 60 * MINUTE) == ["battery_worn/-/ticket/1"]


def test_what_is_only_shown_is_no_alert() -> None:
    assert firing_at(heard(incident("line_degraded", T0, severity=Severity.INFO)), T0 + 60 * MINUTE) == []


def test_the_end_is_pushed_once_no_scrape_can_contradict_it_and_then_forgotten() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.advance(T0 + MINUTE)
    end = T0 + 2 * MINUTE
    pager.hear([incident("mains_lost", T0, ended_at=end, revision=1)], end)
    assert pager.advance(end)
    assert [alert.ended_at for alert in pager.alerts()] == [end]
    assert pager.to_push() == []
    assert pager.next_wake_at() == end + 10 * SECOND
    pager.advance(end + 10 * SECOND)
    assert [alert.ended_at for alert in pager.to_push()] == [end]
    pager.advance(end + 5 * MINUTE)
    assert pager.alerts() == []
    assert pager.next_wake_at() is None


def test_a_severity_that_rises_is_another_alert_in_the_place_of_the_first() -> None:
    pager = heard(incident("mains_lost", T0, severity=Severity.TICKET))
    assert firing_at(pager, T0 + MINUTE) == ["mains_lost/-/ticket/1"]
    pager.hear([incident("mains_lost", T0, severity=Severity.PAGE, revision=1)], T0 + 2 * MINUTE)
    assert firing_at(pager, T0 + 2 * MINUTE) == ["mains_lost/-/page/1"]


def grown(what: str, severity: Severity, revision: int) -> IncidentSaid:
    """The one incident of these tests, which began as a mains loss, as a later revision tells it."""
    first = incident("mains_lost", T0)
    return msgspec.structs.replace(first, what=what, severity=severity, revision=revision)


def test_one_incident_that_turns_worse_pages_again_only_where_it_calls_louder() -> None:
    pager = heard(incident("mains_lost", T0))
    assert firing_at(pager, T0 + MINUTE) == ["mains_lost/-/page/1"]
    pager.hear([grown("battery_low", Severity.CALL, 1)], T0 + 2 * MINUTE)
    assert firing_at(pager, T0 + 2 * MINUTE) == ["battery_low/-/call/1"]
    pager.hear([grown("site_power_lost", Severity.CALL, 2)], T0 + 3 * MINUTE)
    assert firing_at(pager, T0 + 4 * MINUTE) == ["battery_low/-/call/1"]
    pager.hear([grown("mains_lost", Severity.PAGE, 3)], T0 + 5 * MINUTE)
    assert firing_at(pager, T0 + 6 * MINUTE) == ["battery_low/-/call/1"], "getting better pages nobody"


def test_what_becomes_worse_while_it_is_held_waits_for_the_hold_of_what_it_became() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.hear([grown("battery_low", Severity.CALL, 1)], T0 + 3 * SECOND)
    assert firing_at(pager, T0 + 3 * SECOND) == ["battery_low/-/call/1"]
    pager = heard(incident("mains_lost", T0))
    pager.hear([grown("lines_down", Severity.CALL, 1)], T0 + 10 * SECOND)
    assert firing_at(pager, T0 + 20 * SECOND) == []
    assert firing_at(pager, T0 + 25 * SECOND) == ["lines_down/-/call/1"]


def test_what_calms_down_to_a_ticket_is_a_ticket_from_then_on() -> None:
    pager = heard(incident("mains_lost", T0))
    pager.advance(T0 + MINUTE)
    pager.hear([grown("line_degraded", Severity.TICKET, 1)], T0 + 2 * MINUTE)
    assert firing_at(pager, T0 + 2 * MINUTE) == []
    assert firing_at(pager, T0 + 3 * MINUTE) == ["line_degraded/-/ticket/1"]


def test_an_older_revision_that_comes_late_changes_nothing() -> None:
    pager = heard(incident("mains_lost", T0, revision=3))
    pager.hear([incident("mains_lost", T0, severity=Severity.TICKET, revision=2)], T0)
    assert firing_at(pager, T0 + MINUTE) == ["mains_lost/-/page/1"]


def test_a_clock_that_runs_behind_does_not_cut_the_hold_short_and_one_ahead_does_not_stretch_it() -> None:
    behind = heard(incident("mains_lost", T0 - 60 * MINUTE))
    assert behind.next_wake_at() == T0 + 13 * SECOND
    ahead = heard(incident("mains_lost", T0 + 60 * MINUTE))
    assert ahead.next_wake_at() == T0 + 15 * SECOND


def test_after_a_restart_the_same_alerts_fire() -> None:
    said = [incident("mains_lost", T0), incident("seats_lost", T0, subject="row2"), incident("line_down", T0)]
    before = heard(*said)
    later = T0 + 7 * MINUTE
    before.advance(later)
    after = Pager(SETTINGS)
    after.hear(said, later, is_history=True)
    after.advance(later)
    assert firing(after) == firing(before) == ["mains_lost/-/page/1", "mains_lost/-/page/2"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(LAYER_OF)),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(list(Severity)),
        st.integers(0, 120 * SECOND),
        st.one_of(st.none(), st.integers(0, 300 * SECOND)),
    ),
    max_size=12,
)


def _timeline(steps: Iterable[tuple[str, str, Severity, int, int | None]]) -> list[tuple[int, IncidentSaid]]:
    told = []
    for what, subject, severity, after, lasts in steps:
        at = T0 + after
        told.append((at, incident(what, at, subject=subject, severity=severity)))
        if lasts is not None:
            end = at + lasts
            told.append((end, incident(what, at, subject=subject, severity=severity, ended_at=end, revision=1)))
    return sorted(told, key=lambda pair: pair[0])


@given(STEPS)
def test_whatever_happens_something_that_merits_a_page_is_paged_and_power_pages_once_at_a_time(
    steps: list[tuple[str, str, Severity, int, int | None]],
) -> None:
    pager = Pager(SETTINGS)
    for at, said in _timeline(steps):
        while (wake := pager.next_wake_at()) is not None and wake < at:
            pager.advance(wake)
        pager.hear([said], at)
        pager.advance(at)
    for _ in range(200):  # every wake-up leads somewhere: it ends
        wake = pager.next_wake_at()
        if wake is None:
            break
        pager.advance(wake)
    assert pager.next_wake_at() is None
    loud = [said for said in pager.open() if said.severity is not Severity.INFO]
    assert bool(firing(pager)) == bool(loud)
    quiet = [a.identity for a in pager.alerts() if a.identity.layer == Layer.SITE and a.identity.tier == 1]
    assert len(quiet) <= len({identity.severity for identity in quiet})
