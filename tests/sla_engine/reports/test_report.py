"""A report against a table counted by brute force over the plan of a day as large as a real one: 2,155 contacts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Report, Row
from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    changed,
    clock,
    closed,
    left,
    ms,
    offered,
    presence,
    queued,
    rules,
    transferred,
    works,
)
from tests.sla_engine.reports.reporting import filled, linked, made
from wire.board import Mean, Ratio
from wire.conversation import Presence
from wire.organisation import Relation

CONTACTS = 2155
OPENS, CLOSES = ms("08:00"), ms("+1 00:00")
LIMIT_MS, SHORT_MS = 10_000, 5_000
HOUR_MS = 3_600_000
ARRIVED = "+3 00:00"
PEOPLE = {"anna": "red", "ben": "red", "cleo": "blue", "dan": "blue"}
SHOPS = {"presale": "flagship", "aftersale": "outlet"}


class Contact(NamedTuple):
    """What happens to one: durations in ms. who: None = the customer leaves after `waits` without an answer."""

    name: str
    queue: str
    at: int
    waits: int
    who: str | None
    rings: int
    lasts: int

    @property
    def is_inside(self) -> bool:
        return OPENS <= self.at < CLOSES

    @property
    def is_short(self) -> bool:
        return self.who is None and self.waits <= SHORT_MS


class Login(NamedTuple):
    account: str
    since: int
    until: int
    break_at: int
    break_until: int


def contacts() -> list[Contact]:
    random = Random(20261102)
    found = []
    for number in range(CONTACTS):
        at = ms("04:00") + random.randrange(24 * HOUR_MS)
        waits = random.choice((random.randrange(12_000), random.randrange(120_000), 5_000, 10_000))
        who = random.choice((*PEOPLE, *PEOPLE, None))
        queue = random.choice(tuple(SHOPS))
        rings = random.randrange(waits + 1)
        found.append(Contact(f"c{number}", queue, at, waits, who, rings, random.randrange(1, 2 * HOUR_MS)))
    return found


def logins() -> list[Login]:
    random = Random(4)
    found = []
    for account in PEOPLE:
        since = ms("08:00") + random.randrange(2 * HOUR_MS)
        pause = since + HOUR_MS + random.randrange(3 * HOUR_MS)
        found.append(Login(account, since, since + 8 * HOUR_MS + 1, pause, pause + random.randrange(HOUR_MS)))
    return found


def told(contact: Contact) -> Iterator[Event]:
    c, at = contact.name, contact.at
    yield offered(at, c, contact.queue, voice=True, arrives=ARRIVED)
    yield queued(at, c, contact.queue, arrives=ARRIVED)
    answered_at = at + contact.waits
    if contact.who is None:
        yield left(answered_at, c, arrives=ARRIVED)
        return
    yield assigned(answered_at - contact.rings, contact.who, c, arrives=ARRIVED)
    yield accepted(answered_at, contact.who, c, arrives=ARRIVED)
    yield agent(answered_at, contact.who, c, arrives=ARRIVED)
    yield closed(answered_at + contact.lasts, c, arrives=ARRIVED)


PLAN = contacts()
LOGINS = logins()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    events = [*rules(), clock("+5 00:00")]
    for account, team in PEOPLE.items():
        events += works(account, f"p-{account}", team, f"seat-{account}", "north")
    events += [linked(Relation.QUEUE_OF_SHOP, queue, shop) for queue, shop in SHOPS.items()]
    events.append(linked(Relation.CONTRACTED_SEATS, "acme", "3"))
    happened = [event for contact in PLAN for event in told(contact)]
    for login in LOGINS:
        for at, chose in (
            (login.since, Presence.READY),
            (login.break_at, Presence.ON_BREAK),
            (login.break_until, Presence.READY),
            (login.until, Presence.OFFLINE),
        ):
            happened.append(presence(at, login.account, chose, arrives=ARRIVED))
    happened.sort(key=lambda event: event.body.occurred_at)
    return filled(tmp_path_factory.mktemp("day") / "acme", [*events, *happened])


def check_row(row: Row, chosen: list[Contact], held: list[Contact] | None = None) -> None:
    """One row against the contacts that belong to it. held: those it had in hands, where not the same."""
    figures, detail = row.figures, row.figures.detail
    inside = [each for each in chosen if each.is_inside]
    answered = [each for each in inside if each.who is not None]
    gone = [each for each in inside if each.who is None]
    judged = [each for each in inside if not each.is_short]
    met = [each for each in answered if each.waits <= LIMIT_MS]
    assert figures.offered == len(chosen)
    assert (figures.answered, figures.abandoned) == (len(answered), len(gone))
    assert figures.excluded == len(chosen) - len(inside)
    assert figures.short_abandoned == sum(each.is_short for each in gone)
    assert figures.attainment == Ratio(len(met), len(judged))
    assert figures.service_level is not None
    assert figures.service_level.ratio == Ratio(len(met), len(answered) + len(gone) - figures.short_abandoned)
    waits = sorted(each.waits for each in answered)
    assert figures.first_response == figures.answer_wait == Mean(sum(waits), len(waits))
    assert figures.seat_response == detail.accept_wait == Mean(sum(each.rings for each in answered), len(answered))
    assert detail.queue_wait == Mean(sum(each.waits - each.rings for each in answered), len(answered))
    for percent, shown in ((50, row.first_responses.p50), (90, row.first_responses.p90), (95, row.first_responses.p95)):
        assert shown == (waits[(len(waits) * percent + 99) // 100 - 1] if waits else None)
    handled = [each for each in (chosen if held is None else held) if each.who is not None]
    assert detail.voice_handle_time == Mean(sum(each.lasts for each in handled), len(handled))
    assert detail.transfers == Ratio(0, len(handled))


def whole(ledger: Path, by: By) -> Report:
    found = made(ledger, by, "04:00", "+1 04:00")
    check_row(found.total, PLAN)
    return found


def test_every_hour_is_the_contacts_that_entered_in_it(ledger: Path) -> None:
    found = whole(ledger, By.HOUR)
    assert len(found.rows) == 24
    for row in found.rows:
        check_row(row, [each for each in PLAN if row.since <= each.at < row.until])


@pytest.mark.parametrize(
    ("by", "group_of"),
    [
        (By.TEAM, lambda who: PEOPLE[who]),
        (By.AGENT, lambda who: f"p-{who}"),
        (By.SITE, lambda _: "north"),
        (By.SHIFT, lambda _: "unassigned"),
    ],
)
def test_every_group_is_the_contacts_it_answered_and_nobody_has_the_rest(
    ledger: Path, by: By, group_of: Callable[[str], str]
) -> None:
    found = whole(ledger, by)
    assert [row.name for row in found.rows] == sorted({"unassigned", *map(group_of, PEOPLE)})
    for row in found.rows:
        held = [each for each in PLAN if each.who and group_of(each.who) == row.name]
        # what came out of hours was owed no answer, so that nobody is credited with it
        answered = [each for each in held if each.is_inside]
        nobodys = [each for each in PLAN if each.who is None or not each.is_inside]
        check_row(row, answered + (nobodys if row.name == "unassigned" else []), held)


def test_every_shop_is_the_contacts_of_its_queues(ledger: Path) -> None:
    found = whole(ledger, By.SHOP)
    assert [row.name for row in found.rows] == ["flagship", "outlet"]
    for row in found.rows:
        check_row(row, [each for each in PLAN if SHOPS[each.queue] == row.name])


def test_one_queue_alone_is_its_contacts_alone(ledger: Path) -> None:
    found = made(ledger, By.DAY, "04:00", "+1 04:00", queues=["presale"])
    check_row(found.total, [each for each in PLAN if each.queue == "presale"])


def test_a_call_that_was_handed_on_counts_once_under_rules_of_no_contract_too(tmp_path: Path) -> None:
    call = [
        offered("09:00:00", "c", "presale", voice=True),
        agent("09:00:05", "anna", "c"),
        transferred("09:01:00", "c"),
        closed("09:01:00", "c"),
        offered("09:01:00", "c", "aftersale", voice=True),
        agent("09:01:15", "ben", "c"),
        closed("09:02:00", "c"),
    ]
    ledger = filled(tmp_path, [*rules(), *call, clock("10:00:00")])
    other = (changed(name="other", first_response_limit_ms=20_000), False)
    counted = {}
    for queue in ("*", "presale", "aftersale"):
        tables = [made(ledger, By.DAY, "04:00", "+1 04:00", queues=[queue], asked=asked) for asked in (None, other)]
        counted[queue] = [table.total.figures.offered for table in tables]
    assert counted == {"*": [1, 1], "presale": [1, 1], "aftersale": [0, 0]}


def overlap(since: int, until: int, start: int, end: int) -> int:
    return max(0, min(until, end) - max(since, start))


def away(login: Login, since: int, until: int) -> int:
    """Ms of the break in which no call was still in hands."""
    at, until, found = max(since, login.break_at), min(until, login.break_until), 0
    calls = [(each.at + each.waits, each.lasts) for each in PLAN if each.who == login.account]
    for start, lasts in sorted(calls):
        found += max(0, min(start, until) - at)
        at = max(at, start + lasts)
    return found + max(0, until - at)


def test_logins_and_breaks_are_split_at_the_hours(ledger: Path) -> None:
    found = whole(ledger, By.HOUR)
    for row in (*found.rows, found.total):
        assert row.work is not None
        span = row.since, row.until
        on_break = sum(overlap(*span, each.break_at, each.break_until) for each in LOGINS)
        logged_in = sum(overlap(*span, each.since, each.until) for each in LOGINS)
        assert (row.work.logged_in_ms, row.work.on_break_ms) == (logged_in, on_break)
        assert row.work.at_work_ms == logged_in - sum(away(each, *span) for each in LOGINS)


def test_staffed_seats_and_the_shortfall_are_counted_half_hour_by_half_hour(ledger: Path) -> None:
    found = whole(ledger, By.HOUR)
    short = there = 0
    for start in range(OPENS, CLOSES, HOUR_MS // 2):
        span = start, start + HOUR_MS // 2
        people = sum(overlap(*span, each.since, each.until) - away(each, *span) for each in LOGINS)
        there += people
        short += max(0, 3 * HOUR_MS // 2 - people)
    assert found.total.seats is not None
    assert found.total.seats.staffed == Ratio(there, CLOSES - OPENS)
    assert found.total.seats.contracted == Ratio(3 * (CLOSES - OPENS), CLOSES - OPENS)
    assert (
        found.total.seats.shortfall_ms == short == sum(row.seats.shortfall_ms or 0 for row in found.rows if row.seats)
    )


def test_concurrency_is_what_every_ms_of_hands_gives(ledger: Path) -> None:
    found = whole(ledger, By.HOUR)
    for row in (*found.rows[5:8], found.total):
        held = busy = peak = 0
        for person in PEOPLE:
            edges = []
            for each in PLAN:
                if each.who == person:
                    start = max(each.at + each.waits - each.rings, row.since)
                    end = min(each.at + each.waits + each.lasts, row.until)
                    if start < end:
                        edges += [(start, 1), (end, -1)]
            now, since = 0, row.since
            for at, change in sorted(edges):
                held += now * (at - since)
                busy += (at - since) if now else 0
                peak = max(peak, now) if at > since else peak
                now, since = now + change, at
        assert row.load is not None
        assert (row.load.mean, row.load.peak) == (Ratio(held, busy), peak)


def test_the_record_is_complete_and_says_how_far_it_goes(ledger: Path) -> None:
    head = whole(ledger, By.DAY).head
    assert head.final
    assert head.entries > 5 * CONTACTS
    assert [used.label for used in head.definitions] == ["contract-10s@1#" + head.definitions[0].hash[:12]]
    assert not made(ledger, By.DAY, "04:00", "+5 04:00").head.final
