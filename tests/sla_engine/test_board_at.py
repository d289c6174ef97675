"""The board of a past instant: what was true, and what the screen showed, against a direct reading of the events."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sla_engine._core.choices import ClockStart, Redefinition
from sla_engine._core.definition import label_of
from sla_engine.board_at import BoardAtSettings, board
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    entries,
    left,
    ms,
    offered,
    published,
    queued,
    rules,
    signed,
    silent,
    works,
)
from tests.sla_engine.entries import head
from tests.sla_engine.feeding import Feed as LedgerOnDisk
from tests.sla_engine.folding import CALENDAR, TILES, Folding
from tests.sla_engine.site_limits import LIMITS
from wire.board import Board, Figures, Mean, Ratio, Tile, Waiting
from wire.conversation import Author
from wire.facility import Comms, Power, UpsReading
from wire.record import Feed
from wire.scope import Scope
from wire.verdict import SessionFact, Verdict

SETTINGS = BoardAtSettings(lookback_ms=7 * 86_400_000, calendar=CALENDAR, limits=LIMITS, tiles=TILES)
Ask = Callable[..., Board]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask for a board of a data directory that holds these events of client "acme"."""

    def answer(events: Sequence[Event], at: str | int, known_at: str | int | None = None, **given: object) -> Board:
        directory = tmp_path / "clients" / "acme"
        if not directory.exists():
            ledger = LedgerOnDisk(directory)
            ledger.append(events)
            ledger.close()
        known = None if known_at is None else ms(known_at)
        return board(tmp_path, ms(at), known, settings=SETTINGS, **given)  # type: ignore[arg-type]  # a scope

    return answer


def queue_of(shown: Board) -> Tile:
    (tile,) = shown.queues
    return tile


def test_what_had_not_happened_yet_does_not_count(ask: Ask) -> None:
    events = [*rules(), customer("09:00:00"), agent("09:00:08"), closed("09:00:30"), customer("09:00:05", "c2")]
    tile = queue_of(ask(events, "09:00:06"))
    assert tile.live == Waiting(2, 0, ms("09:00:00"), ms("09:00:10"), open=2, oldest_due_at=ms("09:00:10"), due_soon=1)
    assert (tile.day.offered, tile.day.answered) == (2, 0)
    later = queue_of(ask(events, "09:00:09"))
    assert later.live == Waiting(1, 0, ms("09:00:05"), ms("09:00:15"), open=2, oldest_due_at=ms("09:00:15"))
    assert later.day.attainment == Ratio(1, 1)


def test_who_was_due_and_not_answered_is_overdue_and_counts_as_missed(ask: Ask) -> None:
    events = [*rules(), customer("09:00:00"), agent("09:05:00")]
    at_the_limit = queue_of(ask(events, "09:00:10"))
    assert (at_the_limit.live, at_the_limit.day.attainment) == (
        Waiting(1, 0, ms("09:00:00"), ms("09:00:10"), open=1, oldest_due_at=ms("09:00:10"), due_soon=1),
        Ratio(0, 0),
    )
    after = queue_of(ask(events, "09:00:10.001"))
    assert after.live == Waiting(
        1, 1, ms("09:00:00"), None, open=1, overdue_since=ms("09:00:10"), oldest_due_at=ms("09:00:10")
    )
    assert (after.day.unanswered, after.day.attainment) == (1, Ratio(0, 1))
    answered = queue_of(ask(events, "09:05:00"))
    assert (answered.day.unanswered, answered.day.answered, answered.day.attainment) == (0, 1, Ratio(0, 1))


def test_what_came_in_late_counts_for_what_was_true_and_not_for_what_was_shown(ask: Ask) -> None:
    events = [
        *rules(),
        customer("09:00:00"),
        *(clock(f"09:00:{second:02}") for second in range(0, 60, 2)),
        agent("09:00:04", arrives="10:30"),
    ]
    assert queue_of(ask(events, "09:00:30")).day.attainment == Ratio(1, 1)
    assert queue_of(ask(events, "09:00:30", known_at="09:00:30")).day.attainment == Ratio(0, 1)
    assert queue_of(ask(events, "09:00:30", known_at="10:00")).day.attainment == Ratio(0, 1)
    assert queue_of(ask(events, "09:00:30", known_at="10:30")).day.attainment == Ratio(1, 1)


def test_what_the_screen_showed_is_what_the_fold_of_that_moment_gives(ask: Ask) -> None:
    random = Random(7)
    events = [*rules(), *works("anna", "anna", "red", "a1", "north")]
    for number in range(60):
        at, c = ms("09:00") + number * 2_000, f"c{number}"
        events.append(customer(at, c, arrives=at + random.randrange(4_000)))
        if number % 4:
            reply = at + random.randrange(1_000, 25_000)
            events.append(agent(reply, "anna", c, arrives=reply + random.randrange(4_000)))
    events += [clock(at) for at in range(ms("09:00"), ms("09:03"), 1_000)]
    events.sort(key=lambda event: event.received_at)
    moment = ms("09:01:30")
    shown = ask(events, moment, known_at=moment)
    folding = Folding()
    folding.fold_all([e for e in entries(events) if e.received_at <= moment], range(1, 400, 5))
    folding.state.advance(moment, folding.lookup.live_watermark())
    part = folding.part()
    queues = [replace(tile, totals=None) for tile in part.queues]  # counters belong to a process, not to an instant
    assert (shown.clients, shown.queues, shown.teams) == ([part.client], queues, part.teams)
    assert (shown.watermark, shown.day_start) == (part.watermark, part.day_start)


def test_rosters_and_rules_that_restate_hold_by_their_own_dates_when_entered_later(ask: Ask) -> None:
    late = "+3 12:00"
    events = [
        customer("09:00:00"),
        agent("09:00:02", "anna"),
        declared(late),
        published(changed(redefinition=Redefinition.RESTATES), arrives=late),
        signed(arrives=late),
        *works("anna", "anna", "red", "a1", "north", arrives=late),
    ]
    shown = ask(events, "09:01")
    assert [team.id for team in shown.teams] == ["red"]
    assert queue_of(shown).day.attainment == Ratio(1, 1)
    then = queue_of(ask(events, "09:01", known_at="09:01"))
    assert (then.definition, then.day) == ("", Figures())


def test_a_version_entered_at_noon_takes_no_morning_off_the_screen_as_it_was(ask: Ask) -> None:
    second = changed(version=2, effective_from=ms("00:00"), first_response_limit_ms=20_000)
    events = [*rules(), customer("09:00", "c1"), agent("09:00:15", c="c1"), published(second, arrives="12:00:00")]
    events += [customer("12:01", "c2"), agent("12:01:15", c="c2"), clock("12:02")]
    assert queue_of(ask(events, "12:02", known_at="12:02")).day.attainment == Ratio(1, 2)


def test_rules_entered_later_that_do_not_restate_judge_nothing_of_before(ask: Ask) -> None:
    events = [customer("09:00:00"), agent("09:00:02", "anna"), published(arrives="12:00"), signed(arrives="12:00")]
    shown = queue_of(ask([declared(0), *events, customer("13:00:00", "c2"), agent("13:00:02", c="c2")], "14:00"))
    assert shown.day.attainment == Ratio(1, 1)
    before = queue_of(ask(events, "11:00"))
    assert (before.definition, before.day) == ("", Figures())


STRICT = changed(version=2, first_response_limit_ms=5_000, warning_after_ms=3_000)
CHANGED_AT_NOON = [
    *rules(),
    *(customer(f"11:{minute}:00", f"c{minute}") for minute in range(10, 20)),
    *(agent(f"11:{minute}:0{minute % 10}", "anna", f"c{minute}") for minute in range(10, 20)),
    customer("11:59:58", "open"),
    published(STRICT, arrives="12:00"),
    agent("12:00:06", "anna", "open"),
    assigned("11:19:01", "anna", "c19", arrives="12:01"),
    customer("11:17:58", "c18", arrives="12:01"),
    *(customer(f"12:{minute}:00", f"d{minute}") for minute in range(10, 20)),
    *(agent(f"12:{minute}:0{minute % 10}", "anna", f"d{minute}") for minute in range(10, 20)),
    clock("13:00"),
]
"""Ten seconds hold until noon, five from then on, though the version states that it does so since ever."""


@pytest.mark.parametrize(
    ("at", "label", "attained"),
    [
        ("11:30", label_of(PRESET), Ratio(10, 10)),
        ("12:00:10", label_of(STRICT), Ratio(11, 11)),
        ("13:00", label_of(STRICT), Ratio(17, 21)),
    ],
)
def test_an_old_board_counts_each_session_by_the_version_its_facts_carry(
    ask: Ask, at: str, label: str, attained: Ratio
) -> None:
    folding = Folding()
    folding.fold_all(entries(CHANGED_AT_NOON))
    facts = [f for f in folding.facts.values() if isinstance(f, SessionFact) and not f.void and f.started_at <= ms(at)]
    assert attained == Ratio(sum(fact.verdict is Verdict.MET for fact in facts), len(facts))
    shown = queue_of(ask(CHANGED_AT_NOON, at))
    assert (shown.definition, shown.day.attainment) == (label, attained)


def test_a_conversation_told_after_the_new_version_counts_by_that_on_an_old_board_too(ask: Ask) -> None:
    told_late = [customer("11:00:00", "e1", arrives="12:30"), agent("11:00:08", "anna", "e1", arrives="12:30")]
    shown = queue_of(ask([*CHANGED_AT_NOON, *told_late], "11:30"))
    assert shown.day.attainment == Ratio(10, 11)


def test_the_screen_of_now_and_the_board_of_now_count_the_same_after_a_new_version(ask: Ask) -> None:
    folding = Folding()
    folding.fold_all(entries(CHANGED_AT_NOON), range(len(CHANGED_AT_NOON)))
    (live,) = folding.part().queues
    assert live.day == queue_of(ask(CHANGED_AT_NOON, "13:00")).day


def test_a_queue_fed_daily_shows_who_waited_with_hindsight_only(ask: Ask) -> None:
    events = [*rules(), declared(1, "chat", Feed.DAILY), customer("09:00:00", arrives="+1 06:00")]
    assert queue_of(ask(events, "09:00:05")).live == Waiting(
        1, 0, ms("09:00:00"), ms("09:00:10"), open=1, oldest_due_at=ms("09:00:10")
    )
    later = queue_of(ask(events, "+1 06:00", known_at="+1 06:00"))
    assert (later.feed, later.live) == (Feed.DAILY, None)


def test_silence_of_that_time_is_on_the_tile(ask: Ask) -> None:
    events = [*rules(), customer("09:00:00"), silent("09:00:05")]
    assert queue_of(ask(events, "09:00:04")).stale_since is None
    assert queue_of(ask(events, "09:00:06")).stale_since == ms("09:00:05")


def test_only_what_a_reader_may_see_is_read(ask: Ask, tmp_path: Path) -> None:
    events = [*rules(), *works("anna", "anna", "red", "a1", "north"), customer("09:00"), agent("09:00:05")]
    operator = LedgerOnDisk(tmp_path / "operator")
    for site in ("north", "south"):
        body = UpsReading(**head(ms("09:00")), site=site, ups="rack", power=Power.BATTERY, comms=Comms.OK)
        operator.append([Event(body, f"gate-{site}", ms("09:00"))])
    operator.close()
    everything = ask(events, "09:01")
    assert [(site.id, site.state) for site in everything.sites] == [("north", "on_battery"), ("south", "on_battery")]
    assert everything.entries == len(events) + 2
    other = ask(events, "09:01", scope=Scope(clients=frozenset({"beta"}), sites=frozenset({"south"})))
    assert (other.clients, other.queues, [site.id for site in other.sites]) == ([], [], ["south"])
    elsewhere = ask(events, "09:01", scope=Scope(clients=None, sites=frozenset()))
    assert (elsewhere.site_figures, [tile.id for tile in elsewhere.clients]) == ([], ["acme"])


def test_a_directory_without_ledgers_is_an_empty_board(tmp_path: Path) -> None:
    empty = board(tmp_path, ms("09:00"), settings=SETTINGS)
    assert (empty.clients, empty.sites, empty.entries) == ([], [], 0)


def test_power_told_after_the_line_came_back_is_known_with_hindsight(tmp_path: Path) -> None:
    def reading(at: str, power: Power, arrives: str) -> Event:
        body = UpsReading(**head(ms(at)), site="north", ups="rack", power=power, comms=Comms.OK)
        return Event(body, "gate", ms(arrives))

    operator = LedgerOnDisk(tmp_path / "operator")
    operator.append(
        [
            reading("09:00", Power.MAINS, "09:00"),
            reading("09:30", Power.MAINS, "09:30"),
            reading("09:10", Power.BATTERY, "09:30:01"),
            reading("09:20", Power.MAINS, "09:30:01"),
        ]
    )
    operator.close()
    states = [board(tmp_path, ms(at), settings=SETTINGS).sites[0].state for at in ("09:05", "09:15", "09:25")]
    assert states == ["ok", "on_battery", "ok"]
    assert board(tmp_path, ms("09:15"), ms("09:15"), settings=SETTINGS).sites[0].state == "ok"


@pytest.mark.parametrize("known_at", [None, "12:10"])
def test_a_contract_entered_at_noon_takes_no_morning_off_the_board_of_the_afternoon(
    ask: Ask, known_at: str | None
) -> None:
    other = changed(name="platform", first_response_limit_ms=20_000)
    told = [*rules(), customer("09:00", "c1"), agent("09:00:15", c="c1"), published(other, arrives="12:00:00")]
    told += [signed(contract("platform", since="00:00"), arrives="12:00:01")]
    told += [customer("12:01", "c2"), agent("12:01:15", c="c2"), clock("12:10")]
    assert ask(told, "12:05", known_at).clients[0].day.attainment == Ratio(1, 2)


@pytest.mark.parametrize("known_at", [None, "+9 09:10"])
def test_a_queue_told_longer_ago_than_is_looked_back_still_says_that_its_source_tells_it(
    ask: Ask, known_at: str | None
) -> None:
    by_queue = changed(clock_start=ClockStart.QUEUED)
    told = [*rules(by_queue), queued("09:00", "c1"), agent("09:00:05", c="c1"), closed("09:01", "c1")]
    told += [customer("+9 09:00", "c2"), agent("+9 09:00:01", c="c2", author=Author.BOT), closed("+9 09:02", "c2")]
    day = ask([*told, clock("+9 09:10")], "+9 09:05", known_at).clients[0].day
    assert (day.offered, day.excluded, day.detail.not_judged) == (1, 1, {"never_reached_a_person": 1})


# A day of 1999, as an import brings it: a whole ledger that came in twenty-seven years later.
JERUSALEM = changed(
    name="bank",
    time_zone="Asia/Jerusalem",
    zone_offsets=((0, 3 * 3_600),),
    business_day_starts_minute=0,
    effective_from=0,
    first_response_limit_ms=20_000,
    short_abandon_ms=0,
)
MIDNIGHT = 934_232_400_000
"""1999-08-10 00:00 in Jerusalem."""
Call = tuple[int, int, bool]
calls = st.lists(
    st.tuples(st.integers(8 * 3_600, 20 * 3_600), st.integers(1, 300), st.booleans()), min_size=1, max_size=30
)
"""(second of the day it was queued, seconds it waited, whether it was answered)."""


def imported(day: Sequence[Call]) -> list[Event]:
    """What an importer makes of the rows: events in order of time, all received in 2026, from a daily source."""
    events = [declared(0, "bank", Feed.DAILY), published(JERUSALEM), signed(contract("bank"))]
    for number, (queued_at, waited, answered) in enumerate(day):
        c, at = f"call-{number}", MIDNIGHT + queued_at * 1_000
        end = at + waited * 1_000
        events.append(offered(at, c, "bank", voice=True, source="bank"))
        if answered:
            events += [assigned(end, "clerk", c, source="bank"), agent(end, "clerk", c, source="bank")]
            events.append(closed(end + 60_000, c, source="bank"))
        else:
            events.append(left(end, c, source="bank"))
    ordered = sorted(events[3:], key=lambda event: event.body.occurred_at)
    return [*events[:3], *(event._replace(received_at=ms("09:00")) for event in ordered)]


@settings(max_examples=25)
@given(day=calls, minute=st.integers(8 * 60, 20 * 60))
def test_an_imported_day_equals_a_direct_reading_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, day: list[Call], minute: int
) -> None:
    directory = tmp_path_factory.mktemp("bank")
    ledger = LedgerOnDisk(directory / "clients" / "bank")
    ledger.append(imported(day))
    ledger.close()
    at = MIDNIGHT + minute * 60_000
    shown = board(directory, at, settings=SETTINGS)
    begun = [(MIDNIGHT + q * 1_000, w * 1_000, answered) for q, w, answered in day if MIDNIGHT + q * 1_000 <= at]
    waiting = [queued_at for queued_at, wait, _ in begun if queued_at + wait > at]
    over = [(queued_at, wait, answered) for queued_at, wait, answered in begun if queued_at + wait <= at]
    answered_waits = [wait for _, wait, answered in over if answered]
    abandoned = [wait for _, wait, answered in over if not answered]
    late = [queued_at for queued_at in waiting if queued_at + 20_000 < at]
    if not begun:
        assert shown.queues == []
        return
    tile = queue_of(shown)
    assert tile.live is not None
    assert (tile.live.waiting, tile.live.oldest_since) == (len(waiting), min(waiting, default=None))
    assert tile.live.overdue == len(late)
    assert (tile.day.offered, tile.day.answered, tile.day.abandoned) == (
        len(begun),
        len(answered_waits),
        len(abandoned),
    )
    assert tile.day.unanswered == len(late)
    assert tile.day.answer_wait == Mean(sum(answered_waits), len(answered_waits))
    in_time = [wait for wait in answered_waits if wait <= 20_000]
    assert tile.day.attainment == Ratio(len(in_time), len(over) + len(late))
    assert shown.day_start == MIDNIGHT
