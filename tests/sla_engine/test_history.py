"""What was said entry by entry is what the finished log says: place, waits and all, however late events came in."""

from collections.abc import Iterable

from hypothesis import example, given, settings

from sla_engine._core.engine import new_shard, step
from sla_engine._core.history import _tell, first_queue
from tests.builders import Event, entries, works
from tests.oracle.comparing import Judged, last_facts
from tests.sla_engine.strategies import drawn, floors, transcripts
from tests.sla_engine.test_engine_against_oracle import ledger
from wire.recorded import Recorded

Plain = dict[tuple[object, ...], tuple[object, ...]]
OF_THE_SAYING = {"revision", "entry_index", "void", "skew_bound_ms"}


def plain(facts: Iterable[Judged]) -> Plain:
    """Facts by identity, without what depends on when they were said."""
    return {
        _identity(fact): tuple(getattr(fact, name) for name in fact.__struct_fields__ if name not in OF_THE_SAYING)
        for fact in facts
        if not fact.void
    }


@settings(max_examples=200)
@given(transcripts)
@example(drawn(1_478_620, 32))
def test_the_last_word_on_each_fact_is_what_the_log_folded_at_once_says(events: list[Event]) -> None:
    assert_one_story(entries([*works("anna", "wang", "red", "seat-1", "site-1"), *ledger(events)]))


@settings(max_examples=120)
@given(floors)
def test_that_holds_under_any_definition(told: list[Recorded]) -> None:
    assert_one_story(told)


def _identity(fact: Judged) -> tuple[object, ...]:
    numbers = [getattr(fact, name, None) for name in ("definition", "session", "turn", "leg")]
    return type(fact), *numbers


def assert_one_story(told: list[Recorded]) -> None:
    shard = new_shard()
    last = last_facts(step(shard, told, 0).facts)
    for key, conversation in shard.conversations.items():
        mark = shard.watermark.merged[conversation.feed]
        log = conversation.log
        queue = first_queue(shard.names, log)
        anew = _tell(shard.context, shard.names, conversation, log, queue, mark, conversation.customer)
        assert plain([fact for fact in last if fact.conversation == key]) == plain(anew.facts.values())
