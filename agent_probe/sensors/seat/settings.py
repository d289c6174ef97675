"""The thresholds of what a seat measures; apart from the sensors, which only seats load."""

from dataclasses import dataclass

from agent_probe._core.gate import Rhythm
from agent_probe.sensors.base import Schedule


@dataclass(frozen=True, slots=True)
class SeatSettings:
    """answer_ms: for an echo or a time. clock_every_ms: between two questions for the time.

    clock_off_ms: a clock off by more is a change worth telling at once.
    """

    schedule: Schedule
    rhythm: Rhythm
    answer_ms: int
    misses_believed: int
    clock_every_ms: int
    clock_off_ms: int


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """suspect: how often to try while the last try contradicts what is believed. connect_ms: for name, TCP and TLS."""

    schedule: Schedule
    suspect: Schedule
    rhythm: Rhythm
    connect_ms: int
    misses_believed: int
