"""What the oracle reads in the whole record, and what the engine says: the two share no code."""

from collections.abc import Iterable, Sequence
from typing import Final

from sla_engine._core.engine import new_shard, step
from sla_engine.definition_files import load_preset
from tests.oracle.comparing import Difference, differences_between
from tests.sim.oracle import QUARANTINED, Seen
from wire.codec import decode_body
from wire.kinds import Kind
from wire.record import Clock
from wire.recorded import Recorded

HOUR_MS: Final = 3_600_000
PRESET: Final = "contract-10s"
"""What the simulated client is judged by."""
AS_KNOWN_THEN: Final = "SessionFact.nobody_online"
"""Said as presence was known when the fact was said, here by clocks hours apart; the reader knows what came after."""


def differing(seen: Iterable[Seen], entries: Sequence[Recorded]) -> list[Difference]:
    """Where the engine's facts over `entries` part from what the bodies amount to as their sources sent them.

    The clock runs on for an hour first, so that nothing is open any more.
    """
    later = _an_hour_later(entries)
    facts = step(new_shard(), [*entries, later], 0).facts
    found = differences_between(facts, [*map(_decoded, seen), later], [load_preset(PRESET)])
    return [difference for difference in found if difference.what != AS_KNOWN_THEN]


def _decoded(entry: Seen) -> Recorded:
    body = None if entry.kind == QUARANTINED else decode_body(entry.kind, entry.kind_version, entry.body)
    return Recorded(entry.entry_index, entry.received_at, *entry.key, entry.kind, entry.kind_version, body)


def _an_hour_later(entries: Sequence[Recorded]) -> Recorded:
    latest = max([entry.received_at for entry in entries] + [entry.body.occurred_at for entry in entries if entry.body])
    size, at = len(entries), latest + HOUR_MS
    return Recorded(size, at, "~clock", bytes(16), at, Kind.CLOCK, 1, Clock(at, 1, "hub", None, True, ""))
