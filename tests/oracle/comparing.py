"""The engine's last word beside the oracle's reading, and the smallest transcript on which they differ."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from msgspec.structs import replace

from sla_engine._core.definition import Definition, DefinitionError, label_of
from sla_engine._core.engine import new_shard, step
from tests.builders import Event, entries, rules
from tests.oracle.drawing import FIRST, roster
from tests.oracle.oracle import Reading, read
from tests.oracle.reading import Told
from wire.conversation import PresenceChanged
from wire.record import Clock
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact, Why

Judged = SessionFact | ResponseFact | LegFact
Key = tuple[str, str, str, int, int]

NOT_COMPARED: Final = {"revision", "entry_index", "void", "skew_bound_ms"}
"""The last of them apart: it hangs on when the fact was said."""
LEFT_OUT: Final = (Why.ARRIVED_OUT_OF_HOURS, Why.OUTBOUND, Why.NEVER_REACHED_A_PERSON)
OF_NOBODY: Final = {"due_at", "place", "resolution_ms", "queue_wait_ms", "queued_at", "voice"}
"""What means nothing in the fact of a session that is left out from its start."""


class Difference(NamedTuple):
    """What: a field, or "only the engine" / "only the oracle" where the other side has no such fact."""

    definition: str
    what: str
    conversation: str
    engine: object
    oracle: object

    @property
    def kind(self) -> tuple[str, str]:
        """Differences of one kind probably have one cause."""
        return self.what, type(self.engine if self.engine is not None else self.oracle).__name__


def recorded(
    events: Iterable[Event], definitions: Sequence[Definition], given: Sequence[Event] | None = None
) -> list[Recorded]:
    """A ledger: rules and roster first, then the events as they came in. given: instead of one contract for all."""
    return entries([*(rules(*definitions) if given is None else given), *roster(), *events])


def differences(
    events: Sequence[Event], definitions: Sequence[Definition], given: Sequence[Event] | None = None
) -> list[Difference]:
    """Where engine and oracle part."""
    return differences_in(recorded(events, definitions, given), definitions)


def differences_in(ledger: Sequence[Recorded], definitions: Sequence[Definition]) -> list[Difference]:
    """Where they part over a whole ledger."""
    return differences_between(step(new_shard(), ledger, 0).facts, ledger, definitions)


def differences_between(
    facts: Iterable[Fact], ledger: Sequence[Recorded], definitions: Sequence[Definition]
) -> list[Difference]:
    """Where facts part from what a ledger reads as. Its last clock entry is what the record is complete up to."""
    allowance = max(definition.lateness_allowance_ms for definition in definitions)
    until = max(e.body.occurred_at for e in ledger if isinstance(e.body, Clock)) - allowance
    reading = read(ledger, {label_of(definition): definition for definition in definitions}, until)
    found: list[Judged] = [*reading.sessions, *reading.responses, *reading.legs]
    said = by_place(last_facts(facts))
    return [*_compared(said, by_place(found)), *_bounds_compared(said, found, reading)]


def last_facts(facts: Iterable[Fact]) -> list[Judged]:
    """The last word on each, void ones left out. Revisions must follow one another."""
    last: dict[Key, Judged] = {}
    for fact in facts:
        if not isinstance(fact, LoadChange):
            key = _identity(fact)
            expected = last[key].revision + 1 if key in last else 0
            if fact.revision != expected:
                raise AssertionError(f"revision {fact.revision} where {expected} was to come: {fact}")
            last[key] = fact
    return [fact for fact in last.values() if not fact.void]


def by_place(facts: Iterable[Judged]) -> dict[Key, Judged]:
    """Facts by what they are about. Sessions are counted off anew: how they are numbered is the engine's affair."""
    listed = list(facts)
    numbers: dict[tuple[str, str], set[int]] = {}
    for fact in listed:
        numbers.setdefault(_identity(fact)[1:3], set()).add(fact.session)
    places = {of: {number: place for place, number in enumerate(sorted(found))} for of, found in numbers.items()}
    keys = [(fact, _identity(fact)) for fact in listed]
    return {(*key[:3], places[key[1:3]][fact.session], key[4]): replace(fact, session=0) for fact, key in keys}


def _identity(fact: Judged) -> Key:
    definition = "" if isinstance(fact, LegFact) else fact.definition
    number = fact.turn if isinstance(fact, ResponseFact) else fact.leg if isinstance(fact, LegFact) else 0
    return type(fact).__name__, definition, fact.conversation, fact.session, number


def _compared(engine: Mapping[Key, Judged], oracle: Mapping[Key, Judged]) -> Iterable[Difference]:
    for key in sorted(engine.keys() | oracle.keys()):
        said, read_ = engine.get(key), oracle.get(key)
        definition, conversation = key[1], key[2]
        if said is None or read_ is None:
            what = f"{key[0]} said by the {'oracle' if said is None else 'engine'} only"
            yield Difference(definition, what, conversation, said, read_)
            continue
        left_out = isinstance(said, SessionFact) and said.why in LEFT_OUT
        skipped = NOT_COMPARED | (OF_NOBODY if left_out else set())
        for field in type(said).__struct_fields__:
            mine, theirs = getattr(said, field), getattr(read_, field)
            if field not in skipped and mine != theirs:
                yield Difference(definition, f"{key[0]}.{field}", conversation, mine, theirs)


def _bounds_compared(engine: Mapping[Key, Judged], found: Sequence[Judged], reading: Reading) -> Iterable[Difference]:
    for key, fact in zip(by_place(found), found, strict=True):
        said = engine.get(key)
        if isinstance(said, SessionFact) and isinstance(fact, SessionFact):
            theirs = reading.skew_bound_ms(fact, said.entry_index)
            if said.skew_bound_ms != theirs:
                yield Difference(key[1], "SessionFact.skew_bound_ms", key[2], said.skew_bound_ms, theirs)


def smallest(events: Sequence[Event], differs: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """Fewer and fewer events, as long as it still differs: first halves, then one by one. The scenery stays."""
    kept = [event for event in events if speaks(event)]
    scenery = [event for event in events if not speaks(event)]
    size = max(1, len(kept) // 2)
    while size:
        place = 0
        while place < len(kept):
            fewer = [*kept[:place], *kept[place + size :]]
            if differs([*scenery, *fewer]):
                kept = fewer
            else:
                place += size
        size //= 2
    return [*scenery, *kept]


def simplest(definition: Definition, plain: Definition, differs: Callable[[Definition], bool]) -> Definition:
    """The definition with as many parameters as possible as in `plain`."""
    for field in type(definition).__struct_fields__:
        if getattr(definition, field) != getattr(plain, field) and field != "name":
            simpler = replace(definition, **{field: getattr(plain, field)})
            with suppress(DefinitionError):  # the rest of it does not allow that
                if differs(simpler):
                    definition = simpler
    return definition


def speaks(event: Event) -> bool:
    """Whether an event is part of the story, not of the scenery."""
    if isinstance(event.body, Told):
        return not event.body.conversation.startswith(FIRST)
    return isinstance(event.body, PresenceChanged)
