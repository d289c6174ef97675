"""What Mosquitto denied, from its log: it keeps no counters of that, and publishes no debug messages.

A refused publication has a line of its own. A refused subscription has none: the line before says who subscribes, the
next to what, and we know to what they may.
"""

import re
from collections.abc import Iterable
from typing import Final

from collector.enrolment._core.broker import rules
from wire.enrolment import Access

_PUBLISH: Final = re.compile(r"^(?:\d+: )?Denied PUBLISH from ")
_SUBSCRIBES: Final = re.compile(r"^(?:\d+: )?Received SUBSCRIBE from (\S+)$")
_FILTER: Final = re.compile(r"^(?:\d+: )?\t(.*) \(QoS \d\)$")
_NO_CERTIFICATE: Final = re.compile(r"certificate verify failed|peer did not return a certificate")


class Denials:
    """Counts what was denied, by kind. Lines are taken in the order they were written."""

    def __init__(self) -> None:
        self.counts: dict[Access, int] = dict.fromkeys(Access, 0)
        self._subscriber = ""

    def take(self, lines: Iterable[str]) -> None:
        """Look at some lines."""
        for line in lines:
            if (asked := _FILTER.search(line)) is not None and self._subscriber:
                self.counts[Access.SUBSCRIBE] += ("subscribeLiteral", asked[1]) not in rules(self._subscriber)
                continue
            subscribes = _SUBSCRIBES.search(line)
            self._subscriber = "" if subscribes is None else subscribes[1]
            self.counts[Access.PUBLISH] += _PUBLISH.search(line) is not None
            self.counts[Access.CONNECT] += _NO_CERTIFICATE.search(line) is not None
