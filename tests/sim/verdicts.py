"""What a plain reader of the whole record finds, and what the engine says: the two share no code."""

from collections.abc import Iterable, Sequence
from typing import Final

from sla_engine._core.definition import label_of
from sla_engine._core.engine import new_shard, step
from sla_engine.definition_files import load_preset, preset_names
from tests.sim.oracle import QUARANTINED, Seen
from tests.sla_engine.judged import judged_by_engine
from tests.sla_engine.oracle import Judged, Terms, Told, judge
from wire.codec import decode_body
from wire.conversation import Author
from wire.kinds import Kind
from wire.record import Clock
from wire.recorded import Recorded

HOUR_MS: Final = 3_600_000
TERMS: Final = Terms(10_000, 5_000, 600_000, (Author.HUMAN,))
"""The preset the simulated client is judged by, in the reader's words."""


def by_reading(entries: Iterable[Seen]) -> list[Judged]:
    """Every session, from the bodies as their sources sent them."""
    told: list[Told] = []
    for entry in entries:
        body = None if entry.kind == QUARANTINED else decode_body(entry.kind, entry.kind_version, entry.body)
        if isinstance(body, Told):
            told.append(body)
    return sorted(judge(told, TERMS), key=lambda one: (one.conversation, one.started_at, one.why))


def by_folding(entries: Sequence[Recorded]) -> list[Judged]:
    """Every session, from the engine's facts, once the clock has run on and nothing is open any more."""
    latest = max([entry.received_at for entry in entries] + [entry.body.occurred_at for entry in entries if entry.body])
    size, at = len(entries), latest + HOUR_MS
    later = Recorded(size, at, "~clock", bytes(16), at, Kind.CLOCK, 1, Clock(at, 1, "hub", None, True, ""))
    label = label_of(load_preset(preset_names()[0]))
    return judged_by_engine(step(new_shard(), [*entries, later], 0).facts, label)
