"""What is recorded: every golden transcript under all its rules, and a few drawn ledgers, side by side in one.

Each scene has queues, sources, conversations and definitions of its own, so that none changes what another counts as.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from sla_engine._core.contract import Contract
from sla_engine._core.definition import Definition, decode_definition
from tests.builders import Event, clock, contract, declared, published, signed
from tests.oracle.campaign import drawn_trial
from tests.oracle.drawing import roster
from tests.sla_engine.golden import FILES, golden
from wire.organisation import DefinitionPublished, RosterLink
from wire.record import Clock, Gone, SourceBack, SourceDeclared, SourceSilent

SEEDS: Final = (1, 2, 5, 8, 13, 21)
SETTLED: Final = "+7 00:00:00"


class Scene(NamedTuple):
    """Events and the definitions that judge them; versions of one definition share its name.

    contracts: what names the definitions, where it is not one contract over all of the scene.
    """

    name: str
    events: Sequence[Event]
    definitions: Sequence[Definition]
    contracts: Sequence[Contract] = ()


def transcripts() -> Iterator[Scene]:
    for path in FILES:
        one = golden(path)
        definitions = [
            replace(definition, name=f"{one.name}.{number}")
            for number, variant in enumerate(one.variants)
            for definition in variant.definitions()
        ]
        yield Scene(one.name, one.happens, definitions)
    for seed in SEEDS:
        trial = drawn_trial(seed)
        name = f"drawn-{seed}"
        yield Scene(name, trial.events, [replace(each, name=f"{name}.{each.name}") for each in trial.definitions])


def events_of(scenes: Iterable[Scene], semantics: int) -> list[Event]:
    """The whole ledger, in the order it comes in, under definitions all of this semantics."""
    told = roster()
    for scene in scenes:
        events = [_of(scene.name, event, semantics) for event in scene.events]
        sources = {event.source for event in events if "~" not in event.source}
        queues = {queue for event in events if (queue := getattr(event.body, "queue", ""))}
        names = dict.fromkeys(definition.name for definition in scene.definitions)
        told += [declared(0, source) for source in sorted(sources)]
        told += [published(replace(definition, semantics=semantics)) for definition in scene.definitions]
        contracts = scene.contracts or [contract(*names, queues=sorted(queues), name=scene.name)]
        told += [*map(signed, contracts), *events]
    return sorted([*told, clock(SETTLED)], key=lambda event: event.received_at)


def _of(scene: str, event: Event, semantics: int) -> Event:
    """The event with names of its scene."""
    body: Any = event.body
    if isinstance(body, DefinitionPublished):
        entered = replace(decode_definition(body.document), semantics=semantics)
        return published(entered, arrives=event.received_at)
    if isinstance(body, Clock | RosterLink):
        return event
    if isinstance(body, SourceDeclared | SourceSilent | SourceBack | Gone):
        return event._replace(body=replace(body, about_source=f"{scene}/{body.about_source}"))
    given: dict[str, str] = {}
    for field in ("conversation", "queue"):
        if getattr(body, field, ""):
            given[field] = f"{scene}.{getattr(body, field)}"
    if "conversation" in given:
        given["shard_key"] = given["conversation"]
    return event._replace(body=replace(body, **given), source=f"{scene}/{event.source}")
