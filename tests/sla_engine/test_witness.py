"""Whether people whom probes lost go on answering, by what their clients' ledgers tell."""

from collections.abc import Iterable

import pytest

from ledger.entry import StoredEntry
from sla_engine.witness import Hearing, WitnessLimits
from tests.builders import Event, agent, customer, entries, ms
from tests.sla_engine.entries import head
from wire.conversation import Presence, PresenceChanged
from wire.incident import Cause, IncidentSaid, IncidentStep, Severity

LIMITS = WitnessLimits(usual_ms=300_000, slack_ms=10_000, replies=5, again=2, entries=1_000)
SILENT_AT = ms("10:00")
ANN = {"acme": frozenset({"ann"})}
BOTH = {"acme": frozenset({"ann", "ann-2"})}


def incident(subject: str = "") -> IncidentSaid:
    return IncidentSaid(
        **head(SILENT_AT),
        incident="i-1",
        revision=1,
        step=IncidentStep.OPENED,
        cause=Cause.MONITORING,
        what="account_offline" if subject else "site_silent",
        site="north",
        subject=subject,
        severity=Severity.PAGE,
        is_suspected=True,
        is_planned=False,
        started_at=SILENT_AT,
        ended_at=None,
        of_ledger=b"l" * 16,
        first_index=0,
        last_index=0,
    )


def answer(*events: Event, at: str, subject: str = "", accounts: dict[str, frozenset[str]] = ANN) -> bool | None:
    hearing = Hearing(incident(subject), accounts, LIMITS)
    hearing.take("acme", entries(sorted(events, key=lambda event: event.received_at)))
    found = hearing.testimony(ms(at))
    return None if found is None else found.is_working


def pace() -> Iterable[Event]:
    """A reply every fifteen seconds in the five minutes before."""
    return [agent(SILENT_AT - 15_000 * n, "ann", f"c{n}") for n in range(1, 20)]


def test_people_who_answered_every_fifteen_seconds_and_stopped_are_quiet_once_five_replies_are_missing() -> None:
    others = customer("10:00:20", "c-new")
    assert answer(*pace(), others, at="10:01:00") is None
    assert answer(*pace(), others, at="10:01:40") is False


def test_a_source_that_tells_nothing_since_is_no_witness_of_silence() -> None:
    assert answer(*pace(), at="10:05:00") is None


def test_a_floor_that_hardly_answers_anyway_says_nothing() -> None:
    assert answer(agent("09:58", "ann", "c1"), customer("10:00:20", "c2"), at="10:03:00") is None


def test_two_replies_after_the_silence_prove_that_people_work_and_one_proves_nothing() -> None:
    assert answer(*pace(), agent("10:00:20", "ann", "x1"), at="10:03:00") is None
    assert answer(*pace(), agent("10:00:20", "ann", "x1"), agent("10:00:40", "ann", "x2"), at="10:03:00") is True


def test_replies_that_were_under_way_or_are_others_do_not_count() -> None:
    under_way = [agent("10:00:05", "ann", "x1"), agent("10:00:09", "ann", "x2")]
    of_others = [agent("10:00:20", "bob", "x3"), agent("10:00:30", "bob", "x4")]
    assert answer(*pace(), *under_way, *of_others, at="10:03:00") is False


@pytest.mark.parametrize(
    ("presence", "account", "expected"),
    [(Presence.OFFLINE, "ann", False), (Presence.ON_BREAK, "ann", None), (Presence.OFFLINE, "bob", None)],
)
def test_an_account_is_offline_when_its_source_says_so(presence: Presence, account: str, expected: bool | None) -> None:
    at = ms("10:00:03")
    told = Event(PresenceChanged(**head(at), account=account, presence=presence), "chat", at)
    assert answer(told, at="10:00:10", subject="s1/qianniu") is expected


def test_an_account_that_goes_on_answering_is_at_work_unless_it_may_be_the_persons_other_one() -> None:
    told = [agent("10:00:20", "ann", "x1"), agent("10:00:40", "ann", "x2")]
    assert answer(*told, at="10:01:00", subject="s1/qianniu") is True
    assert answer(*told, at="10:01:00", subject="s1/qianniu", accounts=BOTH) is None


class Book:
    """A ledger with nothing of interest in it, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def read(self, first: int, limit: int) -> list[StoredEntry]:
        self.asked.append((first, limit))
        return []


def test_at_first_no_more_is_read_than_the_limit_and_then_only_what_is_new() -> None:
    book = Book()
    hearing = Hearing(incident(), ANN, LIMITS)
    for size in (1_500, 1_500, 1_600):
        hearing.hear("acme", book, size)
    assert book.asked == [(500, 1_000), (1_500, 100)]
