"""Sizes the fold depends on. They are part of semantics 1 and not settings: another value would change past facts.

Format: of the semantics, docs/reference/definitions.md.
"""

from typing import Final

EVENTS_IN_LOG: Final = 512
"""Events of one conversation kept for folding anew. When more come, the older ones are closed to correction."""

CLOCK_DOMAINS: Final = 65_535
"""Clocks of sources that are told apart: what two bytes of an event in a log hold. Of any further one times count as
stamped."""

HOUR_MS: Final = 3_600_000
"""Ended conversations are forgotten by the hour."""

NOT_YET: Final = -1
"""Stands for an instant that has not come. Instants are ms since the Unix epoch and never negative."""

DAYS_SEARCHED: Final = 400
"""A calendar that stays shut (or open) for so many days is taken to stay so for ever: a year and every holiday fit."""

DAYS_HELD: Final = 4_096
"""Days of one calendar kept ready to be asked. Changes no fact."""
