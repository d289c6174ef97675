"""The fields every body starts with: when it happened, by which clock, and which shard it belongs to.

A body travels as a MessagePack array, its fields in the order written here; new fields are appended with a default,
never reused or reordered (docs/adr/0001-entry-v1.md).
"""

import msgspec

from wire._fields import DurationMs, Instant, MonotonicMs, OptionalName


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Common head of every body.

    occurred_at: event time in ms since the Unix epoch, set at the source.
    resolution_ms: how coarse that time is (1 for millisecond sources, 1000 for whole seconds).
    clock: name of the clock domain; times of one domain may be subtracted from each other.
    monotonic_ms: the source's monotonic clock, or None where it has none (files, webhooks).
    synced: whether the source's wall clock was disciplined when it stamped this.
    shard_key: customer pseudonym where known, else linked call id, else conversation id; "" for entries every shard
    gets.
    """

    occurred_at: Instant
    resolution_ms: DurationMs
    clock: OptionalName
    monotonic_ms: MonotonicMs | None
    synced: bool
    shard_key: OptionalName
