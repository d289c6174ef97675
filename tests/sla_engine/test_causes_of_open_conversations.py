"""Who has how much in hands counts in causes also while nobody has told that conversations ended, or ever will."""

import pytest

from sla_engine.causes import causes
from tests.builders import Event, agent, assigned, clock, closed, customer, entries, ms, presence, rules, works
from tests.causes.matrix import LIMITS
from wire.conversation import Presence
from wire.incident import Cause
from wire.limits import INSTANT_MAX_MS

FIVE = range(5)


def traced(*events: Event) -> dict[str, Cause]:
    told = entries([*rules(), *works("anna", "anna", "red", "a1", "north"), *events])
    return {each.fact.conversation: each.trace.cause for each in causes([told], 0, INSTANT_MAX_MS, LIMITS)}


def heap(since: str) -> list[Event]:
    """Five at once for one who may have three, each replied to 3 s after the one before."""
    found = [presence(ms(since) - 1)]
    for n in FIVE:
        found += [customer(ms(since), f"c{n}"), assigned(ms(since) + 1, "anna", f"c{n}")]
        found.append(agent(ms(since) + 3_000 * (n + 1), "anna", f"c{n}"))
    return found


@pytest.mark.parametrize("ends", [[], [closed("09:05", f"c{n}") for n in FIVE]], ids=["open", "ended"])
def test_full_hands_are_the_cause_whether_the_conversations_have_ended_or_not(ends: list[Event]) -> None:
    assert traced(*heap("09:00"), *ends, clock("09:06")) == {"c3": Cause.SATURATION, "c4": Cause.SATURATION}


def test_a_conversation_that_nobody_ends_leaves_the_hands_as_on_the_board() -> None:
    old = [each for n in range(3) for each in (customer("06:00", f"o{n}"), assigned("06:00:01", "anna", f"o{n}"))]
    old += [agent("06:00:02", "anna", f"o{n}") for n in range(3)]
    late = [customer("09:00"), assigned("09:00:01", "anna"), agent("09:00:12", "anna"), clock("09:06")]
    assert traced(presence("05:00"), *old, *late) == {"c1": Cause.NONE}


def test_one_that_waits_unanswered_to_the_end_of_the_record_is_in_the_hands_of_who_is_away() -> None:
    away = [presence("08:59"), customer("09:00"), assigned("09:00:01", "anna")]
    gone = presence("09:00:02", state=Presence.ON_BREAK)
    assert traced(*away, gone, clock("09:06")) == {"c1": Cause.AGENT_ABSENT}
