"""Field types with their caps, shared by every message."""

from typing import Annotated

from msgspec import Meta

from wire.ids import NAME_PATTERN
from wire.limits import (
    COUNTED_MAX,
    DURATION_MAX_MS,
    EPOCH_BYTES,
    INSTANT_MAX_MS,
    MEASURED_MAX,
    NAME_CHARS_MAX,
    SEQUENCE_MAX,
    WORD_CHARS_MAX,
)

Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX, pattern=NAME_PATTERN)]
Names = Annotated[list[Name], Meta(max_length=MEASURED_MAX)]
OptionalName = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
"""A name or "" where the source does not know it."""
Word = Annotated[str, Meta(max_length=WORD_CHARS_MAX)]
Instant = Annotated[int, Meta(ge=0, le=INSTANT_MAX_MS)]
"""Milliseconds since the Unix epoch, UTC."""
DurationMs = Annotated[int, Meta(ge=0, le=DURATION_MAX_MS)]
MonotonicMs = Annotated[int, Meta(ge=0, le=INSTANT_MAX_MS)]
"""A monotonic clock's reading. It counts from the start of a machine that may be up for years, longer than the cap of
a duration."""
Sequence = Annotated[int, Meta(ge=0, le=SEQUENCE_MAX)]
Counted = Annotated[int, Meta(ge=0, le=COUNTED_MAX)]
"""A sequence that a source counted: 1, 2, 3 ... within its epoch."""
Epoch = Annotated[bytes, Meta(min_length=EPOCH_BYTES, max_length=EPOCH_BYTES)]
Count = Annotated[int, Meta(ge=0, le=SEQUENCE_MAX)]
# Format: a percentage has no more.
Percent = Annotated[int, Meta(ge=0, le=100)]
