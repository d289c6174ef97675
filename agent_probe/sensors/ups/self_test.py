"""How a UPS's last test of itself went: free text of its driver, in words that differ from maker to maker.

What is known of it: the drivers of NUT say "Done and passed", "Done and warning", "Done and error", "Aborted", "In
progress", "No test initiated", older ones "OK", "Passed", "Failed", "NG"; numbers mean something else on each device.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from wire.facility import SelfTest
from wire.limits import WORD_CHARS_MAX

_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), result)
    for pattern, result in (
        (r"\bno\b.*\btests?\b|\bnot? (tested|started|initiated)", SelfTest.NEVER),
        (r"progress|running|scheduled|pending", SelfTest.RUNNING),
        (r"abort|cancel|refused", SelfTest.ABORTED),
        (r"fail|error|\bbad\b|\bNG\b|not (passed|ok)", SelfTest.FAILED),
        (r"warning", SelfTest.WARNING),
        (r"\bpass(ed)?\b|\bok\b", SelfTest.PASSED),
    )
)
"""The first that fits."""


class SelfTestSaid(NamedTuple):
    """result: None where the unit tells of no tests. text, date: as the unit says it, "" where it does not."""

    result: SelfTest | None
    text: str
    date: str


def self_test(variables: Mapping[str, str]) -> SelfTestSaid:
    """What the variables tell of the last self-test. A text that nobody knows is `unknown`, never taken for a pass."""
    text = variables.get("ups.test.result", "").strip()
    date = variables.get("ups.test.date", "").strip()
    if not text:
        return SelfTestSaid(None, "", date[:WORD_CHARS_MAX])
    result = next((result for rule, result in _RULES if rule.search(text)), SelfTest.UNKNOWN)
    return SelfTestSaid(result, text[:WORD_CHARS_MAX], date[:WORD_CHARS_MAX])
