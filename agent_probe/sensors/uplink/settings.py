"""The thresholds of the line sensor."""

from typing import NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe._core.line import LineRules
from agent_probe.sensors.base import Schedule


class LineSettings(NamedTuple):
    """rules: how a line is judged. router: how often one is asked for its links. Times in ms.

    witness: how often the hub is asked over each line from where it comes. witness_soon_ms: when to look again while
    it cannot be asked.
    """

    schedule: Schedule
    rhythm: Rhythm
    rules: LineRules
    router: Schedule
    snmp_resend_ms: int
    witness: Schedule
    witness_soon_ms: int
