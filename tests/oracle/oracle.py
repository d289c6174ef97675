"""Everything a ledger amounts to: sessions, turns and legs, under every definition."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sla_engine._core.definition import Definition
from tests.oracle.hours import Hours
from tests.oracle.legs import Numbered, leg_facts
from tests.oracle.reading import pieces_of, sessions_of, steps_of, told_of
from tests.oracle.surroundings import Surroundings
from tests.oracle.terms import Case
from tests.oracle.turns import response_facts
from tests.oracle.wait import session_fact
from wire.recorded import Recorded
from wire.verdict import LegFact, ResponseFact, SessionFact


class Reading(NamedTuple):
    """Facts without revision and entry_index, which are the engine's affair (both 0)."""

    sessions: list[SessionFact]
    responses: list[ResponseFact]
    legs: list[LegFact]


def read(entries: Sequence[Recorded], rules: Mapping[str, Definition], until: int) -> Reading:
    """What a ledger amounts to once the record is complete up to `until` (ms).

    rules: label -> definition, all of them in force for every session, the primary one first.
    """
    around = Surroundings(entries)
    hours = {label: Hours(definition) for label, definition in rules.items()}
    found = Reading([], [], [])
    for conversation, told in sorted(told_of(entries).items()):
        first = min(entry.index for entry in told)
        pieces = pieces_of(told)
        for label, definition in rules.items():
            sessions = sessions_of(pieces, definition.gap_to_new_session_ms)
            so_far = 0
            numbered = []
            for ordinal, session in enumerate(sessions):
                so_far += len(session)
                number = first + ordinal
                case = Case(
                    conversation, label, number, pieces[:so_far], session, definition, hours[label], around, until
                )
                fact = session_fact(case)
                if fact is not None:
                    found.sessions.append(fact)
                found.responses.extend(response_facts(case))
                numbered.append(Numbered(number, steps_of(session)[0].at, session))
            if label == next(iter(rules)):
                found.legs.extend(leg_facts(conversation, pieces, numbered, around))
    return found
