"""A miss has a cause under whichever rules its session keeps: a version entered later takes none of them away."""

from sla_engine.causes import causes
from tests.builders import Event, agent, changed, clock, customer, entries, published, rules
from tests.causes.matrix import LIMITS
from wire.limits import INSTANT_MAX_MS

LATE = [customer("09:00:00"), agent("09:00:30")]


def missed(*events: Event) -> list[tuple[str, int]]:
    """Conversations whose first response was missed, with how long they waited, ms."""
    found = causes([entries([*rules(), *events])], 0, INSTANT_MAX_MS, LIMITS)
    return [(each.fact.conversation, each.fact.first_response_ms or 0) for each in found]


def test_a_version_entered_later_leaves_the_misses_of_before_their_causes() -> None:
    later = published(changed(version=2, first_response_limit_ms=60_000), arrives="12:00:00")
    assert missed(*LATE, later, clock("12:01")) == [("c1", 30_000)]


def test_another_text_of_the_same_version_leaves_the_misses_of_before_their_causes() -> None:
    again = published(changed(first_response_limit_ms=60_000), arrives="12:00:00")
    assert missed(*LATE, again, clock("12:01")) == [("c1", 30_000)]


def test_a_session_is_missed_once_where_both_versions_judge() -> None:
    later = published(changed(version=2, first_response_limit_ms=20_000), arrives="09:00:05")
    assert missed(*LATE, later, customer("09:10", "c2"), agent("09:10:30", "anna", "c2"), clock("12:01")) == [
        ("c1", 30_000),
        ("c2", 30_000),
    ]
