"""The thresholds of the line sensor."""

from typing import NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe._core.line import LineRules
from agent_probe.sensors.base import Schedule


class LineSettings(NamedTuple):
    """rules: how a line is judged. router: how often one is asked for its links. Times in ms."""

    schedule: Schedule
    rhythm: Rhythm
    rules: LineRules
    router: Schedule
    snmp_resend_ms: int
