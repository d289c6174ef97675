"""Which ledgers are compared: random conversations under each preset in turn, and under random definitions."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from sla_engine._core.definition import Definition
from sla_engine.definition_files import load_preset, preset_names
from tests.builders import Event
from tests.oracle.drawing import Floor
from tests.oracle.rules import GRACE_MS, SEASONS, Season, drawn_definition, written

RANDOM = "random"


class Trial(NamedTuple):
    """One ledger and the definitions that judge it together."""

    seed: int
    definitions: list[Definition]
    events: list[Event]
    conversations: int


def trials(first_seed: int, count: int, only: str | None = None) -> Iterator[Trial]:
    """Half of them under random definitions, half under the presets in turn."""
    presets = [replace(load_preset(name), effective_from=0, grace_ms=GRACE_MS) for name in preset_names()]
    for seed in range(first_seed, first_seed + count):
        if only == RANDOM or (only is None and seed % 2):
            yield drawn_trial(seed)
        elif only is not None:
            yield preset_trial(seed, next(preset for preset in presets if preset.name == only))
        else:
            yield preset_trial(seed, presets[seed // 2 % len(presets)])


def drawn_trial(seed: int, definitions: int = 2) -> Trial:
    """Random definitions side by side on one ledger."""
    rng = Random(seed)
    season = rng.choice(SEASONS)
    rules = [drawn_definition(rng, f"drawn-{number + 1}", season) for number in range(definitions)]
    return _trial(rng, seed, rules, season)


def preset_trial(seed: int, preset: Definition) -> Trial:
    """A preset alone, around the edges of its own windows."""
    season = Season(preset.time_zone, ["2026-11-02"], [written(one) for one in preset.service_windows])
    return _trial(Random(seed), seed, [preset], season)


def _trial(rng: Random, seed: int, rules: Sequence[Definition], season: Season) -> Trial:
    conversations = rng.choice((1, 2, 3))
    starts = rng.sample(season.starts(), k=min(2, len(season.starts())))
    events = Floor(seed, starts).ledger(conversations)
    return Trial(seed, list(rules), events, conversations)
