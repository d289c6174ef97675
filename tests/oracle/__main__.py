"""Compare the engine with the oracle over many random ledgers: `python -m tests.oracle --transcripts 10000`."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from sla_engine._core.definition import Definition
from sla_engine.definition_files import preset_names
from tests.builders import PRESET, Event
from tests.oracle.campaign import CHANGING, RANDOM, Trial, trials
from tests.oracle.comparing import Difference, differences, simplest, smallest, speaks
from tests.oracle.drawing import in_floor_words

SHOWN_PER_KIND = 1


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--transcripts", type=int, default=10_000, help="how many random ledgers")
    parser.add_argument("--seed", type=int, default=1, help="of the first one")
    parser.add_argument(
        "--definition",
        choices=(*preset_names(), RANDOM, CHANGING),
        help="only this preset, only random ones, or rules that change",
    )
    options = parser.parse_args(arguments)
    kinds: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    conversations = 0
    for trial in trials(options.seed, options.transcripts, options.definition):
        conversations += trial.conversations
        for found in differences(trial.events, trial.definitions, trial.given):
            kinds[found.what] += 1
            shown[found.what] += 1
            if shown[found.what] <= SHOWN_PER_KIND:
                print("\n".join(told(trial, found)), flush=True)
    print(f"{options.transcripts} transcripts, {conversations} conversations, {sum(kinds.values())} differences")
    for what, count in kinds.most_common():
        print(f"  {count:6d}  {what}")
    return 1 if kinds else 0


def told(trial: Trial, found: Difference) -> list[str]:
    """A difference in floor words, on the smallest transcript that still shows it."""

    def differs(events: Sequence[Event], definitions: Sequence[Definition]) -> bool:
        return any(other.what == found.what for other in differences(events, definitions, trial.given))

    definitions = list(trial.definitions)
    for definition in trial.definitions if trial.given is None else ():
        fewer = [one for one in definitions if one is not definition]
        if fewer and differs(trial.events, fewer):
            definitions = fewer
    events = smallest(trial.events, lambda events: differs(events, definitions))
    if trial.given is None:
        definitions[0] = simplest(definitions[0], PRESET, lambda one: differs(events, [one, *definitions[1:]]))
    last = next(other for other in differences(events, definitions, trial.given) if other.what == found.what)
    story = sorted(filter(speaks, events), key=lambda event: event.body.occurred_at)
    stated = [
        f"  {name} = {getattr(definition, name)}"
        for definition in definitions
        for name in type(definition).__struct_fields__
        if getattr(definition, name) != getattr(PRESET, name) and name not in {"name", "zone_offsets"}
    ]
    return [
        f"== seed {trial.seed}: {found.what}",
        *stated,
        *(f"    {in_floor_words(event)}" for event in story),
        f"  engine: {last.engine}",
        f"  oracle: {last.oracle}",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
