"""A ledger folded once more, under other rules than it holds: what would have been, by the engine's own `step`.

    facts = last_facts(replay(ledger_batches(reader), under(definition)))

Nothing is written and no clock is read. Sessions keep the numbers that the live fold gave them wherever both cut the
same sessions, because entries keep their places.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from ledger.entry import StoredEntry
from ledger.recorded import recorded
from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.choices import Redefinition
from sla_engine._core.contract import EVERY_QUEUE, Contract, Settlement
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.engine import new_shard, step
from sla_engine._core.shard import Shard
from sla_engine.facts_store import FactKey, key_of, revision_of
from sla_engine.runners.tail import EntryReader
from wire.kinds import Kind
from wire.limits import INSTANT_MAX_MS
from wire.organisation import ContractSigned, DefinitionPublished
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange

# Batch: entries of one read.
READ_AT_ONCE: Final = 2_000
STANDING: Final = frozenset({Kind.ROSTER_LINK, Kind.DEFINITION, Kind.CONTRACT, Kind.SOURCE_DECLARED})
"""Kinds that hold by dates of their own, not by when they were written down."""
RULES: Final = frozenset({Kind.DEFINITION, Kind.CONTRACT})
NAMING_QUEUES: Final = frozenset({Kind.OFFERED, Kind.QUEUED, Kind.ASSIGNED, Kind.CUSTOMER_TURN, Kind.TRANSFERRED})
"""Kinds that may say which queue something is on."""


class Given(NamedTuple):
    """Rules to replay under, entered before the first event.

    labels: what the fold calls a definition -> what facts call it, where they differ. alone: the rules that the ledger
    holds are passed over; otherwise they are entered where they stand.
    """

    definitions: tuple[Definition, ...]
    contracts: tuple[Contract, ...]
    labels: Mapping[str, str]
    alone: bool = True


def under(*chosen: Definition, queues: Sequence[str] = (EVERY_QUEUE,)) -> Given:
    """Each of `chosen` over every session of `queues`, whatever dates it states; the first one is the primary.

    Two versions of one definition may be asked for at once.
    """
    held = [replace(each, name=f"replayed-{number}", effective_from=0) for number, each in enumerate(chosen)]
    whole = Contract(
        name="replayed",
        client="replayed",
        title="",
        effective_from=0,
        effective_until=None,
        queues=tuple(queues),
        definitions=tuple(each.name for each in held),
        settlement=Settlement.MONTH,
        running_in_until=None,
        attainment_target_bp=None,
    )
    labels = {label_of(as_held): label_of(asked) for as_held, asked in zip(held, chosen, strict=True)}
    return Given(tuple(held), (whole,), labels)


def restating(entered_definitions: Iterable[Definition], entered_contracts: Iterable[Contract]) -> Given | None:
    """The rules as entered, but for definitions that restate (E18), which hold from their own dates on.

    Contracts that name one of them do so too. With them, and before them, what was entered earlier under the same name,
    date and number: of these the one entered last holds. None where no definition restates.
    """
    chosen: list[Definition] = []
    equals: dict[tuple[str, int, int], list[Definition]] = {}
    for each in entered_definitions:
        held = equals.setdefault((each.name, each.effective_from, each.version), [])
        held.append(each)
        if each.redefinition is Redefinition.RESTATES:
            chosen += held
            held.clear()
    names = {each.name for each in chosen}
    naming = [each for each in entered_contracts if names.intersection(each.definitions)]
    return Given(tuple(chosen), tuple(naming), {}, alone=False) if chosen else None


class Replay:
    """One fold under given rules; without any, under those that the ledger holds, each from where it was entered."""

    def __init__(self, given: Given | None = None, *, shard: Shard | None = None) -> None:
        """shard: an empty one, where only a part of the conversations is asked for."""
        self.shard: Final = new_shard() if shard is None else shard
        self._given: Final = given
        if given is not None:
            for definition in given.definitions:
                self.shard.rules.publish(definitions.canonical(definition))
            for contract in given.contracts:
                self.shard.rules.sign(contracts.canonical(contract))

    def fold(self, batch: Sequence[Recorded]) -> list[Fact]:
        """What the next entries say, in order. `batch` goes on where the last one ended, from entry 0 on."""
        if not batch:
            return []
        if self._given is None or not self._given.alone:
            return step(self.shard, batch, batch[-1].received_at).facts
        passed = [replace(entry, body=None) if entry.kind in RULES else entry for entry in batch]
        labels = self._given.labels
        facts = step(self.shard, passed, batch[-1].received_at).facts
        return [_called(fact, labels) for fact in facts] if labels else facts


def replay(batches: Iterable[Sequence[Recorded]], given: Given | None = None) -> Iterator[Fact]:
    """Every fact that folding `batches` (a ledger from entry 0 on) says under `given`, revisions included."""
    fold = Replay(given)
    for batch in batches:
        yield from fold.fold(batch)


def last_facts(facts: Iterable[Fact], counts: Callable[[Fact], bool] | None = None) -> dict[FactKey, Fact]:
    """The last word on each: by identity, the highest revision, what is void included.

    facts: of each, its revisions in order. counts: which facts are kept at all, by their last word: a revision that no
    longer counts takes with it what was said before.
    """
    last: dict[FactKey, Fact] = {}
    for fact in facts:
        key = key_of(fact)
        held = last.get(key)
        if held is not None and not isinstance(fact, LoadChange) and revision_of(fact) <= revision_of(held):
            continue
        if counts is None or counts(fact):
            last[key] = fact
        elif held is not None:
            del last[key]
    return last


def ledger_batches(
    reader: EntryReader,
    *,
    earliest: int = 0,
    known_at: int | None = None,
    lasting: Container[int] = STANDING,
    passed: Callable[[int], None] | None = None,
) -> Iterator[list[Recorded]]:
    """A ledger from entry 0 on, as `replay` takes it.

    earliest: what came in before this instant (ms) is passed over undecoded, unless its kind is `lasting`. known_at:
    the end, at the first entry that came in after this instant. passed: told how many entries have been read so far.
    """
    index = 0
    while stored := reader.read(index, READ_AT_ONCE):
        kept = stored if known_at is None else [entry for entry in stored if entry.received_at <= known_at]
        yield [
            recorded(entry) if entry.received_at >= earliest or entry.kind in lasting else undecoded(entry)
            for entry in kept
        ]
        index += len(stored)
        if passed is not None:
            passed(index)
        if len(kept) < len(stored):
            return


def rules_entered(batches: Iterable[Sequence[Recorded]]) -> tuple[list[Definition], list[Contract]]:
    """Definitions and contracts of a ledger, in order of entry, each once. What cannot be used is left out.

    The fold counts what it refuses, so leaving it out here is what it does.
    """
    fold = new_shard().rules
    for batch in batches:
        for entry in batch:
            try:
                if isinstance(entry.body, DefinitionPublished):
                    fold.publish(entry.body.document)
                elif isinstance(entry.body, ContractSigned):
                    fold.sign(entry.body.document)
            except definitions.DefinitionError:
                continue
    return fold.state.definitions, fold.state.contracts


def entered_rules(reader: EntryReader) -> tuple[list[Definition], list[Contract]]:
    """Definitions and contracts that a whole ledger holds, as `rules_entered` lists them."""
    return rules_entered(ledger_batches(reader, earliest=INSTANT_MAX_MS + 1, lasting=RULES))


def unknown_queues(reader: EntryReader, asked: Iterable[str]) -> tuple[set[str], set[str]]:
    """(those of `asked` that neither a contract nor any event of a whole ledger names, those that one names).

    The second is whole only where something is unknown: the search ends when all are found. EVERY_QUEUE is none.
    """
    known = {queue for contract in entered_rules(reader)[1] for queue in contract.queues} - {EVERY_QUEUE}
    unknown = set(asked) - known - {EVERY_QUEUE}
    if not unknown:
        return unknown, known
    for batch in ledger_batches(reader, earliest=INSTANT_MAX_MS + 1, lasting=NAMING_QUEUES):
        known |= {queue for entry in batch if (queue := getattr(entry.body, "queue", ""))}
        if unknown <= known:
            break
    return unknown - known, known


def folded_queues(reader: EntryReader, asked: Iterable[str]) -> tuple[str, ...]:
    """The queues to fold so that `asked` can be looked at: with them those that contracts name.

    A session stays with the queue it began in (E4); alone, a queue would begin another one for what is handed on to it.
    """
    named = (queue for contract in entered_rules(reader)[1] for queue in contract.queues)
    return tuple(dict.fromkeys((*asked, *named)))


def undecoded(entry: StoredEntry) -> Recorded:
    """An entry that the fold passes over: in its place, without its body."""
    return Recorded(
        entry.index,
        entry.received_at,
        entry.source,
        entry.epoch,
        entry.sequence,
        entry.kind,
        entry.kind_version,
        None,
    )


def _called(fact: Fact, labels: Mapping[str, str]) -> Fact:
    if isinstance(fact, LegFact | LoadChange):
        return fact
    label = labels.get(fact.definition)
    return fact if label is None else replace(fact, definition=label)
