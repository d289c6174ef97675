"""All house rules. Each takes a file and yields findings."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.tidy.asynchrony import bounded_queues, decoders_made_at_import, named_tasks
from tests.tidy.layers import core_purity, import_direction
from tests.tidy.script_numbers import reasons_at_boot, script_thresholds
from tests.tidy.sizes import function_size, module_size
from tests.tidy.source import Finding, Source
from tests.tidy.testing import dies_with_the_tests, no_sleeps, says_something
from tests.tidy.text import explained_silence, machine_paths, postponed_work, registry_hosts
from tests.tidy.thresholds import threshold_literals
from tests.tidy.words import screen_words

Rule = Callable[[Source], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    import_direction,
    core_purity,
    module_size,
    function_size,
    postponed_work,
    machine_paths,
    registry_hosts,
    explained_silence,
    screen_words,
    threshold_literals,
    script_thresholds,
    reasons_at_boot,
    named_tasks,
    bounded_queues,
    decoders_made_at_import,
    no_sleeps,
    says_something,
    dies_with_the_tests,
)
