"""Which ledgers are compared: random conversations under each preset in turn, and under random definitions."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from sla_engine._core.choices import ClockDomains
from sla_engine._core.definition import Definition
from sla_engine.definition_files import load_preset, preset_names
from tests.builders import Event, contract, declared, published, signed
from tests.oracle.drawing import Floor
from tests.oracle.reading import Told
from tests.oracle.rules import GRACE_MS, SEASONS, Season, drawn_definition, written

RANDOM = "random"
CHANGING = "changing"


AWAY = (-5_000, 0, 1, 1_000, 3_000, 20_000, 60_000, 300_000)
"""From the start of a conversation to where rules change."""


class Trial(NamedTuple):
    """One ledger and the definitions that judge it. given: their entries and contracts, None = one contract for all."""

    seed: int
    definitions: list[Definition]
    events: list[Event]
    conversations: int
    given: list[Event] | None = None


def trials(first_seed: int, count: int, only: str | None = None) -> Iterator[Trial]:
    """Of four, one under random definitions, one under contracts that change, two under the presets in turn."""
    presets = {name: replace(load_preset(name), effective_from=0, grace_ms=GRACE_MS) for name in preset_names()}
    for seed in range(first_seed, first_seed + count):
        if only == CHANGING or (only is None and seed % 4 == 3):
            yield changing_trial(seed)
        elif only == RANDOM or (only is None and seed % 2):
            yield drawn_trial(seed)
        elif only is not None:
            yield preset_trial(seed, presets[only])
        else:
            yield preset_trial(seed, [*presets.values()][seed // 2 % len(presets)])


def drawn_trial(seed: int, definitions: int = 2) -> Trial:
    """Random definitions side by side on one ledger."""
    rng = Random(seed)
    season = rng.choice(SEASONS)
    rules = [drawn_definition(rng, f"drawn-{number + 1}", season) for number in range(definitions)]
    return _trial(rng, seed, rules, season)


def changing_trial(seed: int) -> Trial:
    """An odd floor under contracts that begin, end and replace each other, queue by queue, and versions that do so."""
    rng = Random(f"changing {seed}")
    season = rng.choice(SEASONS)
    starts = rng.sample(season.starts(), k=min(2, len(season.starts())))
    conversations = rng.choice((1, 2, 3))
    events = Floor(seed, starts, odd=True).ledger(conversations)
    came = sorted(event.received_at for event in events if isinstance(event.body, Told))

    def some_time(*, often: int = 0) -> int:
        return rng.choice((often, often, rng.choice(starts) + rng.choice(AWAY)))

    def entered() -> int:
        return rng.choice((0, 0, rng.choice(came)))

    definitions: list[Definition] = []
    same = Random(f"same number {seed}")
    for name in ("drawn-1", "drawn-2", "drawn-3"):
        for version in range(1, rng.choice((2, 2, 3))):
            drawn = drawn_definition(rng, name, season)
            numbered = replace(drawn, version=version, effective_from=some_time())
            if version > 1 and same.choice((True, False)):  # somebody edits the file and forgets the number
                before = definitions[-1]
                numbered = replace(numbered, version=before.version, effective_from=before.effective_from)
            definitions.append(numbered)
    given = [declared(0)]
    for each in definitions:
        # what clocks are apart by (E17) is counted from the entry of the first definition that asks for it
        asks = each.clock_domains is ClockDomains.ESTIMATED_OFFSET
        given.append(published(each, arrives=0 if asks else entered()))
    for number in range(rng.choice((1, 2, 3, 4))):
        names = rng.sample(("drawn-1", "drawn-2", "drawn-3"), k=rng.choice((1, 2, 3)))
        queues = rng.choice((("*",), ("*",), ("presale",), ("aftersale",)))
        agreed = contract(*names, queues=queues, name=f"acme-{number % 3}", since=some_time())
        until = rng.choice((None, None, agreed.effective_from + rng.choice((1, 20_000, 300_000))))
        given.append(signed(replace(agreed, effective_until=until), arrives=entered()))
    return Trial(seed, definitions, events, conversations, given)


def preset_trial(seed: int, preset: Definition) -> Trial:
    """A preset alone, around the edges of its own windows."""
    season = Season(preset.time_zone, ["2026-11-02"], [written(one) for one in preset.service_windows])
    return _trial(Random(seed), seed, [preset], season)


def _trial(rng: Random, seed: int, rules: Sequence[Definition], season: Season) -> Trial:
    conversations = rng.choice((1, 2, 3))
    starts = rng.sample(season.starts(), k=min(2, len(season.starts())))
    events = Floor(seed, starts).ledger(conversations)
    return Trial(seed, list(rules), events, conversations)
