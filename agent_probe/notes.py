"""What a probe notices about itself and its machine, as messages: each is recorded once and is no present state."""

from typing import Final

from agent_probe._core.gate import Rhythm
from agent_probe._core.storage import DropClass
from agent_probe.sensors.base import Reading, Stamp
from wire.limits import DURATION_MAX_MS, SEQUENCE_MAX, WORD_CHARS_MAX
from wire.seat import Noticed, ProbeNote

ABOUT: Final = "note"
ONCE: Final = Rhythm(DURATION_MAX_MS, DURATION_MAX_MS, DropClass.CHANGE)


class Notes:
    """Makes them. site, seat: whose probe this is."""

    def __init__(self, *, site: str, seat: str, clock_domain: str) -> None:
        self._site = site
        self._seat = seat
        self._clock_domain = clock_domain
        self._count = 0

    def note(self, noticed: Noticed, now: Stamp, *, about: str = "", duration_ms: int = 0, step_ms: int = 0) -> Reading:
        """One note. about: the sensor, "" for the machine."""
        self._count += 1
        body = ProbeNote(
            **now.head(self._clock_domain),
            site=self._site,
            seat=self._seat,
            noticed=noticed,
            about=about[:WORD_CHARS_MAX],
            duration_ms=min(max(duration_ms, 0), DURATION_MAX_MS),
            step_ms=max(-SEQUENCE_MAX, min(step_ms, SEQUENCE_MAX)),
        )
        return Reading(ABOUT, self._count, ONCE, lambda: body, once=True)
