"""Everything a ledger amounts to: sessions, turns and legs, under every definition."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sla_engine._core.choices import ClockDomains
from sla_engine._core.definition import Definition, decode_definition, label_of
from tests.oracle.hours import Hours
from tests.oracle.legs import Numbered, leg_facts
from tests.oracle.reading import Step, customer_of, first_queue, pieces_of, sessions_of, told_of
from tests.oracle.surroundings import Surroundings
from tests.oracle.terms import Case
from tests.oracle.turns import response_facts
from tests.oracle.wait import measured, session_facts
from wire.organisation import DefinitionPublished
from wire.recorded import Recorded
from wire.verdict import LegFact, ResponseFact, SessionFact


class Reading(NamedTuple):
    """Facts without revision and entry_index, which are the engine's affair (both 0), and skew_bound_ms, which hangs on
    the latter.

    measured: (conversation, definition, session) -> the events its time lies between, where an offset counts (E17).
    """

    sessions: list[SessionFact]
    responses: list[ResponseFact]
    legs: list[LegFact]
    measured: dict[tuple[str, str, int], tuple[Step, Step]]
    around: Surroundings

    def skew_bound_ms(self, fact: SessionFact, said_at: int) -> int:
        """How far the time of `fact`, a session of this reading, may be off, if it was said with entry `said_at`."""
        between = self.measured.get((fact.conversation, fact.definition, fact.session))
        return 0 if between is None else self.around.apart_by(*between, said_at)


class Versions:
    """One definition through time (E18), as it judges one conversation.

    entered: label -> index of its entry. told: the conversation, in order of event time.
    """

    def __init__(
        self, versions: Mapping[str, Definition], entered: Mapping[str, int], told: Sequence[Recorded]
    ) -> None:
        self._versions = versions
        self._entered = entered
        self._told = [entry.index for entry in told]
        self._hours = {label: Hours(definition) for label, definition in versions.items()}

    def in_force(self, first: Step) -> tuple[str, Definition, Hours] | None:
        """The version that judges a session that started so; of those from one instant on, the highest.

        It was entered before anything was told of the time from there on.
        """
        heard = min(self._told[self._told.index(first.entry) :])
        begun = [
            (definition.effective_from, definition.version, label)
            for label, definition in self._versions.items()
            if definition.effective_from <= first.at and self._entered.get(label, -1) < heard
        ]
        if not begun:
            return None
        label = max(begun)[2]
        return label, self._versions[label], self._hours[label]

    def gap(self, first: Step) -> int:
        held = self.in_force(first)
        return 0 if held is None else held[1].gap_to_new_session_ms


def read(entries: Sequence[Recorded], rules: Mapping[str, Definition], until: int) -> Reading:
    """What a ledger amounts to once the record is complete up to `until` (ms).

    rules: label -> definition, versions of one name replacing each other, the primary one first.
    """
    around = Surroundings(entries)
    names = dict.fromkeys(definition.name for definition in rules.values())
    by_name = [{label: d for label, d in rules.items() if d.name == name} for name in names]
    entered = entered_in(entries)
    found = Reading([], [], [], {}, around)
    for conversation, told in sorted(told_of(entries).items()):
        heard = min(told, key=lambda entry: entry.index)
        first = heard.index
        pieces = pieces_of(told)
        queue = first_queue(pieces)
        for same_name in by_name:
            versions = Versions(same_name, entered, told)
            sessions = sessions_of(pieces, versions.gap if queue else _no_gap)
            so_far = 0
            for ordinal, session in enumerate(sessions):
                so_far += len(session)
                held = versions.in_force(session[0].steps[0])
                if held is not None and queue:
                    about = (conversation, held[0], first + ordinal, customer_of(pieces), queue)
                    tells_queue = around.tells_queue(heard)
                    case = Case(*about, pieces[:so_far], session, *held[1:], around, until, tells_queue)
                    found.sessions.extend(session_facts(case))
                    between = measured(case) if held[1].clock_domains is ClockDomains.ESTIMATED_OFFSET else None
                    if between is not None:
                        found.measured[conversation, held[0], case.number] = between
                    found.responses.extend(response_facts(case))
            if same_name is by_name[0]:
                numbered = [Numbered(first + ordinal, session) for ordinal, session in enumerate(sessions)]
                found.legs.extend(leg_facts(conversation, pieces, numbered, around))
    return found


def _no_gap(_first: Step) -> int:
    """Where nothing is judged, every return is a new session."""
    return 0


def entered_in(entries: Sequence[Recorded]) -> dict[str, int]:
    """Where a ledger's definitions stand in it, by label."""
    found: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.body, DefinitionPublished):
            found.setdefault(label_of(decode_definition(entry.body.document)), entry.index)
    return found
