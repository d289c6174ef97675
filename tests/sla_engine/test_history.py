"""What was said entry by entry is what the finished log says: place, waits and all, however late events came in."""

from hypothesis import example, given, settings

from sla_engine._core.engine import new_shard, step
from sla_engine._core.history import _tell
from tests.builders import Event, entries, last_word, works
from tests.sla_engine.strategies import drawn, transcripts
from tests.sla_engine.test_engine_against_oracle import ledger
from wire.verdict import LegFact, ResponseFact, SessionFact

Plain = dict[tuple[str, int, int], tuple[object, ...]]


def plain(facts: list[SessionFact | ResponseFact]) -> Plain:
    """Facts by identity, without what depends on when they were said."""
    said = {}
    for fact in facts:
        if not fact.void:
            turn = fact.turn if isinstance(fact, ResponseFact) else -1
            fields = [name for name in fact.__struct_fields__ if name not in {"revision", "entry_index", "void"}]
            said[fact.definition, fact.session, turn] = tuple(getattr(fact, name) for name in fields)
    return said


@settings(max_examples=200)
@given(transcripts)
@example(drawn(1_478_620, 32))
def test_the_last_word_on_each_fact_is_what_the_log_folded_at_once_says(events: list[Event]) -> None:
    shard = new_shard()
    roster = works("anna", "wang", "red", "seat-1", "site-1")
    last = list(last_word(step(shard, entries([*roster, *ledger(events)]), 0).facts).values())
    for key, conversation in shard.conversations.items():
        mark = shard.watermark.merged[conversation.feed]
        told = _tell(shard.context, shard.names, conversation, conversation.log, mark, conversation.customer)
        judged = [fact for fact in told.facts.values() if not isinstance(fact, LegFact)]
        assert plain([fact for fact in last if fact.conversation == key]) == plain(judged)
