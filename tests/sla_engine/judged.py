"""The engine's facts in the words of the plain reader in oracle.py, so that the two can be compared."""

from collections.abc import Iterable

from tests.builders import last_word
from tests.sla_engine.oracle import Judged
from wire.verdict import Fact, ResponseFact, SessionFact


def judged_by_engine(facts: Iterable[Fact], label: str) -> list[Judged]:
    """What the last word on every session is, under the definition of that label."""
    last = [fact for fact in last_word(facts).values() if fact.definition == label and not fact.void]
    turns: dict[tuple[str, int], list[tuple[int, int, int | None]]] = {}
    for fact in last:
        if isinstance(fact, ResponseFact):
            turn = (fact.started_at, fact.turn, fact.duration_ms)
            turns.setdefault((fact.conversation, fact.session), []).append(turn)
    judged = []
    for fact in last:
        if not isinstance(fact, SessionFact):
            continue
        told = sorted(turns.get((fact.conversation, fact.session), ()))
        judged.append(
            Judged(
                fact.conversation,
                fact.started_at,
                fact.queue,
                fact.outcome,
                fact.verdict,
                fact.why,
                fact.first_response_ms,
                fact.seat_response_ms,
                fact.place.account if fact.first_response_ms is not None and fact.place.account != "unassigned" else "",
                tuple(duration for _, _, duration in told),
            )
        )
    return sorted(judged, key=lambda one: (one.conversation, one.started_at, one.why))
