"""Where a report takes its figures from, and under which rules: the same figures from facts and from the ledger."""

from pathlib import Path

import msgspec
import pytest

from sla_engine._core.choices import Boundary, Percentile, Redefinition, Unit
from sla_engine._core.definition import Definition, label_of
from sla_engine.definition_files import preset_versions
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Report
from sla_engine.reports._core.time_at_work import SeatTime
from sla_engine.reports.stored import stored_facts
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    back,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    gone,
    left,
    ms,
    offered,
    presence,
    published,
    rules,
    signed,
    silent,
    works,
)
from tests.sla_engine.feeding import Feed
from tests.sla_engine.reports.reporting import DAY_MS, filled, made
from tests.sla_engine.test_local_runner import Hub, folded, running
from tests.waiting import wait_until
from wire.board import Coverage, Mean, Ratio, Unbounded
from wire.conversation import Form, Presence
from wire.record import Feed as Promise


def visit(day: int, clock_time: str, name: str, waits_ms: int, *, account: str = "anna") -> list[Event]:
    at = ms(clock_time) + day * DAY_MS
    return [
        customer(at, name),
        assigned(at, account, name),
        agent(at + waits_ms, account, name),
        closed(at + 60_000, name),
    ]


def busy_days() -> list[Event]:
    """Three days with people, a feed that was silent, one who left, late messages and a reply that came late."""
    events = [*rules(), *works("anna", "p1", "red", "s1", "north"), *works("ben", "p2", "blue", "s2", "north")]
    for day in range(3):
        events += visit(day, "09:00:00", f"a{day}", 8_000)
        events += visit(day, "09:30:00", f"b{day}", 25_000, account="ben")
        events += [customer(ms("10:00") + day * DAY_MS, f"l{day}"), left(ms("10:00:30") + day * DAY_MS, f"l{day}")]
        events += [presence(ms("08:50") + day * DAY_MS), presence(ms("18:00") + day * DAY_MS, state=Presence.OFFLINE)]
        events += [clock(ms(f"{hour}:59:59") + day * DAY_MS) for hour in range(24)]
    late = ms("+1 09:15:00")
    events += [
        customer(late, "x", arrives=late + 3_600_000),
        agent(late + 4_000, "anna", "x", arrives=late + 3_600_000),
    ]
    events += [silent("+1 11:00"), back("+1 12:00"), clock("+4 08:00")]
    return sorted(events, key=lambda event: event.received_at)


def written(facts: Path, feed: Feed) -> int:
    """How far the facts beside a running engine go."""
    found = stored_facts(facts, feed.ledger_id)
    if found is None:
        return 0
    found.close()
    return found.next_index


def figures_of(report: Report) -> bytes:
    return msgspec.json.encode(report)


@pytest.mark.parametrize("by", [By.HOUR, By.TEAM, By.AGENT])
async def test_figures_are_the_same_from_an_engine_s_facts_and_from_the_ledger(tmp_path: Path, by: By) -> None:
    feed = Feed(tmp_path / "acme")
    feed.append(busy_days())
    facts = tmp_path / "facts"
    async with running(tmp_path, feed, Hub("+4 08:00")) as runner:
        await folded(runner, feed)
        await wait_until(lambda: written(facts, feed) == feed.size, what="the facts to be written")
        from_facts = made(tmp_path / "acme", by, "04:00", "+2 04:00", facts=facts)
    assert figures_of(from_facts) == figures_of(made(tmp_path / "acme", by, "04:00", "+2 04:00"))
    assert from_facts.total.figures.attainment == Ratio(3, 7)

    # facts are used while they are no more than a minute behind, and a report says how far they go
    feed.append([clock("+4 08:00:50")])
    assert made(tmp_path / "acme", by, "04:00", "+2 04:00", facts=facts).head.entries == feed.size - 1
    feed.append([clock("+4 08:02")])
    assert made(tmp_path / "acme", by, "04:00", "+2 04:00", facts=facts).head.entries == feed.size
    feed.close()


async def test_facts_of_another_ledger_are_not_used(tmp_path: Path) -> None:
    feed, other = Feed(tmp_path / "acme"), Feed(tmp_path / "other")
    feed.append([*rules(), *visit(0, "09:00:00", "c1", 8_000), clock("12:00")])
    other.append([*rules(), *visit(0, "09:00:00", "c1", 20_000), clock("12:00")])
    async with running(tmp_path, feed, Hub("12:00")) as runner:
        await folded(runner, feed)
    found = made(tmp_path / "other", By.DAY, "04:00", "+1 04:00", facts=tmp_path / "facts")
    assert found.total.figures.attainment == Ratio(0, 1)
    feed.close()
    other.close()


def test_what_came_in_later_is_left_out_on_request(tmp_path: Path) -> None:
    ledger = filled(
        tmp_path / "acme",
        [*rules(), customer("09:00:00"), clock("09:01"), agent("09:00:05", arrives="09:30"), clock("12:00")],
    )
    now, then = (made(ledger, By.DAY, "04:00", "+1 04:00", known_at=at) for at in (None, "09:10"))
    assert (now.total.figures.attainment, then.total.figures.attainment) == (Ratio(1, 1), Ratio(0, 1))
    assert then.head.entries < now.head.entries


def test_another_definition_of_the_contract_and_any_other_by_replay(tmp_path: Path) -> None:
    second = changed(PRESET, name="generous", first_response_limit_ms=30_000)
    ledger = filled(
        tmp_path / "acme",
        [
            *rules(PRESET, second),
            *visit(0, "09:00:00", "a", 8_000),
            *visit(0, "10:00:00", "b", 20_000),
            *visit(0, "11:00:00", "c", 10_000),
            clock("13:00"),
        ],
    )
    strict = changed(PRESET, name="strict", boundary=Boundary.BELOW)

    def attained(asked: tuple[Definition, bool] | None) -> tuple[Ratio, list[str]]:
        found = made(ledger, By.DAY, "04:00", "+1 04:00", asked=asked)
        return found.total.figures.attainment, [used.label for used in found.head.definitions]

    assert attained(None) == (Ratio(2, 3), [label_of(PRESET)])
    assert attained((second, False)) == (Ratio(3, 3), [label_of(second)])
    assert attained((strict, False)) == (Ratio(1, 3), [label_of(strict)])


def test_every_session_counts_once_under_the_version_that_restates(tmp_path: Path) -> None:
    later = changed(PRESET, version=2, first_response_limit_ms=30_000, redefinition=Redefinition.RESTATES)
    later = msgspec.structs.replace(later, effective_from=ms("+1 04:00"))
    ledger = filled(
        tmp_path / "acme",
        [
            *rules(),
            *(event for day in range(3) for event in visit(day, "09:00:00", f"c{day}", 20_000)),
            clock("+2 12:00"),
            published(later, arrives="+2 13:00"),
            *visit(2, "14:00:00", "d", 20_000),
            clock("+2 18:00"),
        ],
    )
    found = made(ledger, By.DAY, "04:00", "+3 04:00")
    assert [row.figures.attainment for row in found.rows] == [Ratio(0, 1), Ratio(1, 1), Ratio(2, 2)]
    assert {used.label for used in found.head.definitions} == {label_of(PRESET), label_of(later)}


CARDS_APART = changed(PRESET, name="platform", inbound_forms=(Form.TEXT,))
NO_GAP = changed(PRESET, name="platform", gap_to_new_session_ms=0)


@pytest.mark.parametrize("platform", [CARDS_APART, NO_GAP], ids=["starts later", "starts anew"])
def test_a_session_that_a_second_definition_cuts_elsewhere_counts_once(platform: Definition, tmp_path: Path) -> None:
    events = [
        customer("09:00:00", form=Form.CARD),
        customer("09:00:05"),
        agent("09:00:08"),
        closed("09:01"),
        customer("09:02:00"),
        agent("09:02:04"),
        closed("09:03"),
    ]
    ledger = filled(tmp_path / "acme", [*rules(PRESET, platform), *events, clock("+1 13:00")])
    found = made(ledger, By.DAY, "04:00", "+1 04:00")
    assert (found.total.figures.offered, found.total.figures.first_response) == (1, Mean(8_000, 1))
    assert [used.label for used in found.head.definitions] == [label_of(PRESET)]


def test_what_a_second_definition_says_first_is_not_counted_in_place_of_the_primary_one(tmp_path: Path) -> None:
    slow = changed(PRESET, first_response_limit_ms=180_000)
    quick = changed(PRESET, name="platform", first_response_limit_ms=10_000)
    ledger = filled(tmp_path / "acme", [*rules(slow, quick), customer("09:00:00"), clock("09:01:00")])
    assert made(ledger, By.DAY, "04:00", "+1 04:00").total.figures.offered == 0


def test_the_morning_counts_under_the_contract_it_opened_under(tmp_path: Path) -> None:
    other = changed(PRESET, name="platform", first_response_limit_ms=30_000)
    events = [
        *rules(),
        *visit(0, "09:00:00", "a", 20_000),
        published(other, arrives="12:00"),
        signed(contract("platform", since="00:00"), arrives="12:00"),
        *visit(0, "13:00:00", "b", 20_000),
        clock("14:00"),
    ]
    found = made(filled(tmp_path / "acme", events), By.DAY, "04:00", "+1 04:00")
    assert found.total.figures.attainment == Ratio(1, 2)
    assert {used.label for used in found.head.definitions} == {label_of(PRESET), label_of(other)}


def test_thirty_days_mix_the_two_versions_of_a_platform_as_its_own_figure_did(tmp_path: Path) -> None:
    old, new = preset_versions("jd-30s")
    names = contract("jd-30s")
    start = new.effective_from - 20 * DAY_MS
    # one contact a day at eight in the morning: in the old version's window, before the new one's
    events = [declared(0), published(old), published(new), signed(names)]
    for day in range(40):
        at = start + day * DAY_MS + 8 * 3_600_000
        events += [customer(at, f"e{day}"), agent(at + 40_000, "anna", f"e{day}")]
        events += [customer(at + 7_200_000, f"d{day}"), agent(at + 7_210_000, "anna", f"d{day}")]
    events.append(clock(start + 41 * DAY_MS))
    ledger = filled(tmp_path / "acme", events)
    end = new.effective_from + 16 * DAY_MS
    (row,) = made(ledger, By.DAY, end - DAY_MS, end).rows
    assert row.figures.attainment == Ratio(1, 1)
    assert row.trailing is not None
    assert row.trailing.attainment == Ratio(30, 30 + 14), "14 days of the old rule, 16 of the new one"
    total = made(ledger, By.HOUR, end - DAY_MS, end)
    assert {each.trailing for each in total.rows} == {None}
    assert total.total.trailing == row.trailing


def test_people_s_days_are_counted_in_people(tmp_path: Path) -> None:
    by_person = changed(PRESET, name="people", unit=Unit.PERSON_DAY)
    ledger = filled(
        tmp_path / "acme",
        [
            *rules(by_person),
            *(event for day in range(2) for event in visit(day, "09:00:00", "kind", 5_000 + 10_000 * day)),
            *visit(1, "10:00:00", "other", 5_000),
            clock("+1 13:00"),
        ],
    )
    found = made(ledger, By.DAY, "04:00", "+2 04:00")
    assert [row.figures.attainment for row in found.rows] == [Ratio(1, 1), Ratio(1, 2)]
    assert found.total.figures.attainment == Ratio(2, 3)


def test_turns_are_counted_in_turns_and_percentiles_by_the_method_named(tmp_path: Path) -> None:
    by_turn = changed(PRESET, name="turns", unit=Unit.TURN, percentile=Percentile.INTERPOLATED)
    ledger = filled(
        tmp_path / "acme",
        [
            *rules(by_turn),
            customer("09:00:00"),
            agent("09:00:04"),
            customer("09:01:00"),
            agent("09:01:20"),
            clock("10:00"),
        ],
    )
    total = made(ledger, By.WEEK, "04:00", "+1 04:00").total
    assert total.figures.attainment == Ratio(1, 2)
    assert total.figures.average_response == Mean(24_000, 2)
    assert (total.responses.p50, total.responses.p90) == (12_000, 18_400)
    assert total.first_responses.p95 == 4_000


def test_nothing_counted_is_no_rate_and_every_hour_is_there(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "acme", [*rules(), *visit(0, "09:00:00", "c1", 8_000), clock("23:00")])
    found = made(ledger, By.HOUR, "04:00", "+1 04:00")
    assert [row.figures.offered for row in found.rows] == [0] * 5 + [1] + [0] * 18
    assert found.rows[0].figures.attainment == Ratio(0, 0)
    assert (found.rows[0].first_responses.p50, found.rows[0].load, found.rows[0].seats) == (None, None, None)


def test_a_silent_feed_lowers_the_coverage_of_its_hours(tmp_path: Path) -> None:
    ledger = filled(
        tmp_path / "acme",
        [*rules(), offered("09:00:00"), silent("09:15"), back("09:45"), clock("12:00")],
    )
    found = made(ledger, By.HOUR, "08:00", "11:00")
    covered = [None if row.coverage is None else row.coverage.time for row in found.rows]
    assert covered == [Ratio(3_600_000, 3_600_000), Ratio(1_800_000, 3_600_000), Ratio(3_600_000, 3_600_000)]


def test_hours_before_a_feed_that_cannot_number_was_heard_are_not_covered(tmp_path: Path) -> None:
    plain = declared("10:00")
    unnumbered = plain._replace(body=msgspec.structs.replace(plain.body, numbered=False))
    ledger = filled(
        tmp_path / "acme", [*rules()[1:], unnumbered, customer("08:00:01", arrives="10:00"), clock("12:00")]
    )
    found = made(ledger, By.HOUR, "08:00", "11:00")
    hour = 3_600_000
    assert [row.coverage and row.coverage.time for row in found.rows] == [
        Ratio(0, hour),
        Ratio(0, hour),
        Ratio(hour, hour),
    ]
    assert found.total.coverage is not None
    assert found.total.coverage.unbounded is Unbounded.NOT_NUMBERED


def test_a_day_without_a_word_has_no_coverage_unless_its_feed_would_be_missed_or_told_more(tmp_path: Path) -> None:
    plain = declared("00:00")
    promised = plain._replace(body=msgspec.structs.replace(plain.body, heartbeat_ms=10_000))
    unnumbered = plain._replace(body=msgspec.structs.replace(plain.body, numbered=False))
    visits = visit(0, "09:00:00", "c1", 8_000)
    later = visit(2, "09:00:00", "c2", 8_000)

    def is_known(name: str, *events: Event) -> list[bool]:
        ledger = filled(tmp_path / name, [*rules(), *events, clock("+2 23:00")])
        found = made(ledger, By.DAY, "04:00", "+2 04:00")
        assert all(row.coverage.time.part == row.coverage.time.whole for row in found.rows if row.coverage)
        return [row.coverage is not None for row in found.rows]

    assert is_known("plain", plain, *visits) == [True, False]
    assert is_known("promised", promised, *visits) == [True, True]
    assert is_known("later", plain, *visits, *later) == [True, True], "its numbers say that nothing is missing"
    assert is_known("unnumbered", unnumbered, *visits, *later) == [True, False]


def test_people_are_told_of_as_far_as_the_file_of_their_source_goes(tmp_path: Path) -> None:
    events = [
        *rules(),
        declared("00:00", feed=Promise.DAILY),
        offered("09:00", "c0"),
        presence("09:00"),
        closed("11:00", "c0"),
        clock(ms("12:00") + 3 * DAY_MS),
    ]
    found = made(filled(tmp_path, events), By.DAY, "04:00", ms("04:00") + 3 * DAY_MS)
    first, *later = found.rows
    for row in (first, found.total):
        assert row.work is not None
        assert row.work.logged_in_ms == 2 * 3_600_000
        assert row.seats is not None
        assert row.seats.staffed == Ratio(2 * 3_600_000, 3 * 3_600_000)
    nothing = SeatTime(None, None, None, 16 * 3_600_000)
    assert [(row.work, row.seats) for row in later] == [(None, nothing)] * 2


def test_a_file_that_declares_a_loss_is_measured_from_its_first_word_to_its_last(tmp_path: Path) -> None:
    hour = 3_600_000
    told = [
        *(presence("08:30"), customer("09:00:00", "c1"), agent("09:00:05", "anna", "c1"), closed("09:30:00", "c1")),
        *(gone("11:30", 0, since="09:30", until="11:30"), presence("11:40"), customer("12:30:00", "c2")),
    ]
    rows = [*rules(), declared(0, feed=Promise.DAILY), *told, clock("+1 12:00")]
    found = made(filled(tmp_path / "acme", rows), By.HOUR, "07:00", "14:00")
    covered = [None if row.coverage is None else row.coverage.time for row in found.rows]
    assert covered == [
        None,
        Ratio(hour // 2, hour // 2),
        Ratio(hour // 2, hour),
        Ratio(0, hour),
        Ratio(hour // 2, hour),
        Ratio(hour // 2, hour // 2),
        None,
    ]
    assert found.total.coverage == Coverage(Ratio(2 * hour, 4 * hour), None, None, None, Unbounded.NOT_COUNTED)
    assert found.rows[1].coverage == Coverage(Ratio(hour // 2, hour // 2), 0, Ratio(0, 0), Ratio(0, 0))
    seats = [None if row.seats is None else row.seats.no_data_ms for row in found.rows]
    assert seats == [None, 0, hour // 2, hour, hour // 2, hour // 2, hour]
    without = [*rules(), declared(0, feed=Promise.DAILY), *visit(0, "09:00:00", "c1", 5_000), clock("+1 12:00")]
    assert made(filled(tmp_path / "calls", without), By.HOUR, "07:00", "14:00").total.coverage is None


def test_a_loss_that_was_counted_bounds_the_attainment_of_a_file(tmp_path: Path) -> None:
    told = [*visit(0, "09:00:00", "c1", 8_000), gone("12:00", 3, since="10:00", until="11:00")]
    rows = [*rules(), declared(0, feed=Promise.DAILY), *told, *visit(0, "12:00:00", "c2", 25_000), clock("+1 12:00")]
    coverage = made(filled(tmp_path / "acme", rows), By.DAY, "04:00", "+1 04:00").total.coverage
    assert coverage is not None
    assert (coverage.missing, coverage.worst, coverage.best) == (1, Ratio(1, 3), Ratio(2, 3))


def test_a_roster_that_is_entered_after_the_conversations_places_them_by_its_dates(tmp_path: Path) -> None:
    late = ms("+1 12:00")
    told = [*rules(), *visit(0, "09:00", "c1", 5_000), presence("08:00"), clock(late)]
    moved = works("anna", "p2", "blue", "s2", "north", since="+1 04:00", arrives=late)
    ledger = filled(tmp_path, [*told, *works("anna", "p1", "red", "s1", "north", arrives=late), *moved])
    for by, name in ((By.TEAM, "red"), (By.SITE, "north"), (By.AGENT, "p1")):
        rows = made(ledger, by, "04:00", "+1 04:00").rows
        answered = [(row.name, row.figures.answered, row.figures.detail.chat_handle_time.count) for row in rows]
        assert answered == [(name, 1, 1)]
    before = made(ledger, By.TEAM, "04:00", "+1 04:00", known_at="+1 11:59").rows
    assert [(row.name, row.figures.answered) for row in before] == [("unassigned", 1)]
