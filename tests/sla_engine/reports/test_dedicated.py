"""Staffed beside contracted seats over all clients' ledgers, and what people on dedicated seats also did."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.coverage import union
from sla_engine._core.seats import Seats, SeatsState
from sla_engine.reports._core.agent_hours import Interval, State
from sla_engine.reports._core.dedicated import also_serving, hands_intervals, on_dedicated_seats, serving
from sla_engine.reports.dedicated import Rows, SeatQuestion, SeatRow, seats
from tests.builders import (
    Event,
    agent,
    assigned,
    clock,
    closed,
    customer,
    declared,
    gone,
    ms,
    offered,
    presence,
    rules,
    silent,
    works,
)
from tests.sla_engine.facts import ANNA, NOBODY, load
from tests.sla_engine.feeding import Feed
from wire.board import Ratio
from wire.conversation import Presence
from wire.organisation import Relation, RosterLink
from wire.record import Feed as Promise
from wire.scope import EVERYTHING, Scope

MINUTE = 60_000
HOUR = 60 * MINUTE


def link(relation: Relation, subject: str, target: str, since: int = 0, until: int | None = None) -> RosterLink:
    return RosterLink(0, 1, "hub", None, True, "", relation, subject, target, since, until)


def entered(relation: Relation, subject: str, target: str) -> Event:
    return Event(link(relation, subject, target), "~roster", 0)


def write(folder: Path, client: str, *events: Event) -> None:
    ledger = Feed(folder / "clients" / client)
    ledger.append([*rules(), *events, clock("+1 01:00")])
    ledger.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Anna sits on a seat dedicated to acme from 08:00 to 12:00; for beta she serves from 09:00 to 10:00."""
    write(
        tmp_path,
        "acme",
        *works("anna-acme", "anna", "red", "a1", "north"),
        entered(Relation.MODE_OF_SEAT, "a1", "dedicated"),
        entered(Relation.CONTRACTED_SEATS, "acme", "2"),
        entered(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        offered("08:00", "c0"),
        presence("08:00", "anna-acme", Presence.READY),
        presence("12:00", "anna-acme", Presence.OFFLINE),
    )
    write(
        tmp_path,
        "beta",
        *works("anna-beta", "anna", "red", "a1", "north"),
        offered("08:59", "d0"),
        customer("09:00", "d0"),
        assigned("09:00", "anna-beta", "d0"),
        closed("10:00", "d0"),
    )
    return tmp_path


def table(data: Path, rows: Rows = "day", client: str = "", scope: Scope = EVERYTHING) -> list[SeatRow]:
    span = (ms("00:00"), ms("+1 00:00"))
    question = SeatQuestion(lambda _: span, rows, client, 24 * HOUR, 2 * HOUR)
    return list(seats(data, question, scope, lambda _: None).rows)


def total(rows: list[SeatRow], client: str, shop: str = "") -> SeatRow:
    (found,) = [row for row in rows if (row.client, row.shop, row.name) == (client, shop, "")]
    return found


def test_staffed_stands_beside_contracted_with_the_shortfall_per_client_and_shop(data: Path) -> None:
    rows = table(data)
    acme = total(rows, "acme")
    assert acme.staffed == Ratio(4 * HOUR, 16 * HOUR)
    assert acme.contracted == Ratio(32 * HOUR, 16 * HOUR)
    assert acme.shortfall_ms == 28 * HOUR
    shop = total(rows, "acme", "flagship")
    assert (shop.staffed, shop.contracted, shop.shortfall_ms) == (Ratio(4 * HOUR, 16 * HOUR), None, None)


def test_a_shop_has_the_seats_that_the_roster_states_for_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        "acme",
        entered(Relation.CONTRACTED_SEATS_OF_SHOP, "flagship", "1"),
        entered(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        offered("08:00", "c0"),
        presence("08:00", "anna", Presence.READY),
        presence("12:00", "anna", Presence.OFFLINE),
    )
    rows = table(tmp_path)
    shop = total(rows, "acme", "flagship")
    assert (shop.contracted, shop.shortfall_ms) == (Ratio(16 * HOUR, 16 * HOUR), 12 * HOUR)
    assert total(rows, "acme").contracted is None


def test_a_declared_loss_is_no_data_and_charges_nobody_for_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        "acme",
        entered(Relation.CONTRACTED_SEATS, "acme", "2"),
        entered(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        offered("08:00", "c0"),
        presence("08:00", "anna", Presence.READY),
        presence("12:00", "anna", Presence.OFFLINE),
        gone("16:00", 0, since="12:00", until="16:00"),
        presence("16:00", "anna", Presence.READY),
    )
    rows = table(tmp_path)
    acme = total(rows, "acme")
    assert (acme.staffed, acme.no_data_ms) == (Ratio(12 * HOUR, 12 * HOUR), 4 * HOUR)
    assert (acme.contracted, acme.shortfall_ms) == (Ratio(24 * HOUR, 12 * HOUR), 12 * HOUR)
    assert total(rows, "acme", "flagship").no_data_ms == 4 * HOUR
    lost = next(row for row in table(tmp_path, "half-hour") if row.since == ms("13:00"))
    assert (lost.staffed, lost.shortfall_ms, lost.no_data_ms) == (None, None, HOUR // 2)


def test_the_share_also_serving_others_is_a_count_of_time_and_names_nobody(data: Path) -> None:
    acme = total(table(data, client="acme"), "acme")
    assert acme.also_serving == Ratio(HOUR, 4 * HOUR)
    assert "beta" not in repr(table(data, client="acme"))


def test_half_hours_are_rows_of_the_service_window(data: Path) -> None:
    rows = [row for row in table(data, "half-hour", "acme") if not row.shop]
    assert len(rows) == 33
    by_name = {row.name: row for row in rows}
    assert by_name["2026-11-02 09:30+08:00"].also_serving == Ratio(HOUR // 2, HOUR // 2)
    assert by_name["2026-11-02 11:30+08:00"].also_serving == Ratio(0, HOUR // 2)
    assert by_name["2026-11-02 12:00+08:00"].also_serving is None
    assert by_name["2026-11-02 12:00+08:00"].shortfall_ms == HOUR
    assert sum(row.shortfall_ms or 0 for row in rows[:-1]) == rows[-1].shortfall_ms


def test_a_reader_of_one_client_is_told_nothing_of_others(data: Path) -> None:
    rows = table(data, scope=Scope(clients=frozenset({"acme"})))
    assert {row.client for row in rows} == {"acme"}
    assert {row.also_serving for row in rows} == {None}


def test_a_seat_that_nobody_calls_dedicated_has_no_share(data: Path) -> None:
    assert {row.also_serving for row in table(data, client="beta")} == {None}


def test_where_no_source_tells_who_is_there_nobody_is_short(tmp_path: Path) -> None:
    write(tmp_path, "acme", entered(Relation.CONTRACTED_SEATS, "acme", "2"), offered("08:00", "c0"))
    acme = total(table(tmp_path), "acme")
    assert (acme.staffed, acme.contracted, acme.shortfall_ms) == (None, Ratio(32 * HOUR, 16 * HOUR), None)
    assert acme.no_data_ms == 16 * HOUR


@pytest.mark.parametrize(
    ("feed", "then"),
    [(Promise.DAILY, []), (Promise.DELAYED, []), (Promise.LIVE, [silent("08:30")])],
)
def test_who_is_there_after_a_source_last_told_is_not_known(feed: Promise, then: list[Event], tmp_path: Path) -> None:
    write(
        tmp_path,
        "acme",
        declared("07:00", feed=feed),
        entered(Relation.CONTRACTED_SEATS, "acme", "2"),
        entered(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        offered("08:00", "c0"),
        presence("08:00", "anna", Presence.READY),
        closed("08:30", "c0"),
        *then,
    )
    rows = table(tmp_path, "half-hour")
    told, *later = [row for row in rows if row.name and not row.shop]
    assert (told.name, told.staffed, told.shortfall_ms) == (
        "2026-11-02 08:00+08:00",
        Ratio(HOUR // 2, HOUR // 2),
        HOUR // 2,
    )
    assert {(row.staffed, row.shortfall_ms) for row in later} == {(None, None)}
    assert {row.contracted for row in later} == {Ratio(HOUR, HOUR // 2)}
    assert {row.no_data_ms for row in later} == {HOUR // 2}
    for whole in (total(rows, "acme"), total(rows, "acme", "flagship")):
        assert (whole.staffed, whole.no_data_ms) == (Ratio(HOUR // 2, HOUR // 2), 31 * HOUR // 2)


def test_a_declared_loss_and_the_time_after_the_last_word_are_both_no_data(tmp_path: Path) -> None:
    write(
        tmp_path,
        "acme",
        declared("07:00", feed=Promise.DAILY),
        entered(Relation.CONTRACTED_SEATS, "acme", "2"),
        offered("08:00", "c0"),
        presence("08:00", "anna", Presence.READY),
        presence("10:00", "anna", Presence.OFFLINE),
        gone("12:00", 0, since="10:00", until="12:00"),
        presence("12:00", "anna", Presence.READY),
        closed("13:00", "c0"),
    )
    acme = total(table(tmp_path), "acme")
    assert (acme.staffed, acme.contracted) == (Ratio(3 * HOUR, 3 * HOUR), Ratio(6 * HOUR, 3 * HOUR))
    assert (acme.shortfall_ms, acme.no_data_ms) == (3 * HOUR, 13 * HOUR)


def test_whoever_pauses_during_a_call_serves_until_it_ends(tmp_path: Path) -> None:
    write(
        tmp_path,
        "acme",
        entered(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        presence("08:00", "anna", Presence.READY),
        offered("08:04", "c0", voice=True),
        assigned("08:05", "anna", "c0"),
        agent("08:05", "anna", "c0"),
        presence("08:06", "anna", Presence.ON_BREAK),
        closed("08:26", "c0"),
        presence("08:30", "anna", Presence.OFFLINE),
    )
    rows = table(tmp_path, "half-hour")
    for shop in ("", "flagship"):
        (first,) = [row for row in rows if (row.shop, row.name) == (shop, "2026-11-02 08:00+08:00")]
        assert first.staffed == Ratio(26 * MINUTE, 30 * MINUTE)


def test_a_client_without_a_contract_is_named_and_left_out(data: Path) -> None:
    ledger = Feed(data / "clients" / "gamma")
    ledger.append([customer("09:00:00")])
    ledger.close()
    (data / "clients" / "empty").mkdir()
    question = SeatQuestion(lambda _: (ms("00:00"), ms("+1 00:00")), "day", "", HOUR, 2 * HOUR)
    assert seats(data, question, EVERYTHING, lambda _: None).without_rules == ("empty", "gamma")


def test_a_seat_is_dedicated_as_long_as_the_roster_says_so() -> None:
    known = Seats(SeatsState(), 1)
    for mode, since, until in (("dedicated", 100, None), ("shared", 200, None), ("dedicated", 300, 400)):
        known.enter(link(Relation.MODE_OF_SEAT, "a1", mode, since, until))
    assert known.dedicated("a1", 50, 1_000) == [(100, 200), (300, 400)]
    assert known.dedicated("a1", 150, 160) == [(150, 160)]
    assert known.dedicated("b1", 0, 1_000) == []
    spent = [(ANNA, Interval("anna", 50, 350, State.AT_WORK)), (NOBODY, Interval("~x", 0, 350, State.AT_WORK))]
    assert on_dedicated_seats(spent, known) == {"anna": [(100, 200), (300, 350)]}


def test_hands_hold_something_from_the_first_conversation_to_the_last() -> None:
    changes = [load("c1", 0, 10, 1), load("c2", 0, 30, 1), load("c1", 1, 30, -1), load("c2", 1, 50, -1)]
    found = list(hands_intervals([*changes[::-1], load("c3", 0, 70, 1)]))
    assert [(each.start_ms, each.end_ms) for each in found] == [(10, 50), (70, None)]


def test_a_conversation_nobody_closed_is_served_only_while_somebody_is_there() -> None:
    held = (ANNA, Interval("anna", 10, 1_000, State.TALKING))
    there = (ANNA, Interval("anna", 0, 100, State.LOGGED_IN))
    assert serving([held]) == {"anna": [(10, 1_000)]}
    assert serving([held, there]) == {"anna": [(10, 100)]}
    busy = (ANNA, Interval("anna", 90, 120, State.SERVING))
    assert serving([held, there, busy]) == {"anna": [(10, 120)]}


SPANS = st.dictionaries(
    st.sampled_from("ab"),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple), max_size=6),
)


@given(own=SPANS, others=SPANS, edges=st.sets(st.integers(0, 60), min_size=2, max_size=5).map(sorted))
def test_the_share_is_what_a_look_at_every_minute_counts(
    own: dict[str, list[tuple[int, int]]], others: dict[str, list[tuple[int, int]]], edges: list[int]
) -> None:
    found = also_serving(
        {person: union(spans) for person, spans in own.items()},
        {person: union(spans) for person, spans in others.items()},
        edges,
    )

    def there(spans: list[tuple[int, int]], minute: int) -> bool:
        return any(start <= minute < end for start, end in spans)

    for bucket, (start, end) in enumerate(pairwise(edges)):
        minutes = [(person, minute) for person in own for minute in range(start, end)]
        working = [(person, minute) for person, minute in minutes if there(own[person], minute)]
        shared = [one for one in working if there(others.get(one[0], []), one[1])]
        assert found[bucket] == Ratio(len(shared), len(working))
