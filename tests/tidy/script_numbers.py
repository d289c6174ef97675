"""Numbers of scripts that browsers run, and of what starts us at boot, are facts, or thresholds with a reason.

Scripts get theirs from the page they are on, where the server has put them (dashboards/wallboard/pages.py). What
systemd and shells read cannot come from defaults.toml: there the reason stands above the number. How long an animation
of a style sheet takes is part of a drawing: nothing is decided by it.
"""

import re
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Finding, Source
from tests.tidy.thresholds import is_explained
from tests.tidy.units import number_said

NOT_CODE: Final = re.compile(
    r"`[^`]*`|\"[^\"\n]*\"|'[^'\n]*'|//[^\n]*|/\*.*?\*/|/(?![ *])(?:[^/\n\\]|\\.)+/", re.DOTALL
)
NUMBER: Final = re.compile(r"(?<![\w.$])\d[\d_]*(?:\.\d+)?(?![\w.])")
CONSTANT: Final = re.compile(r"^(?:export )?const (?P<name>[A-Z][A-Z0-9_]*) =")
TIMER: Final = re.compile(r",\s*\d[\d_]*\s*\)")
FACTORS: Final = frozenset({60, 100, 1_000, 3_600, 60_000, 3_600_000})
"""Of units: seconds in a minute, percent, milliseconds in a second ..."""
FACTOR_AFTER: Final = re.compile(rf"\s*\*\s*(?:{'|'.join(str(factor) for factor in sorted(FACTORS))})\b")
"""So many seconds or minutes, however few."""
SMALL: Final = 20
"""Numbers below it count things on the screen: columns, letters, decimals."""
ASIDE: Final = re.compile(r"\bstatus\s*(?:[=!]==?|[<>]=?)\s*$")
INSTEAD: Final = (
    "put it into seatwatch/defaults.toml and onto the page (dashboards/wallboard/pages.py); a fact says which in a "
    "comment above it, '// Kind: what defines it', as in tests/tidy/thresholds.py"
)
AT_BOOT: Final = re.compile(
    r"^(?:\w+Sec|MemoryMax|TasksMax|Limit\w+)=\S*\d|\bsleep \d|\btimeout \d"
    r"|\bcurl\b.* -m ?\d|--max-time[ =]\d|--retry[ =]\d"
)
REASON: Final = re.compile(r"^\s*# \S+(?: \S+){3}")


def script_thresholds(source: Source) -> Iterator[Finding]:
    """No number in a script of ours that another would do as well for, unless it says which fact it is."""
    if source.package is None or source.is_vendored or source.path.suffix not in {".js", ".mjs"}:
        return
    lines = source.text.splitlines()
    code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source.text)
    for at, line in enumerate(code.splitlines(), start=1):
        constant = CONSTANT.match(line)
        for found in NUMBER.finditer(line):
            number = float(found[0].replace("_", ""))
            if number in {0, 1} or is_explained(lines, at, {}):
                continue
            if constant and not constant["name"].endswith("_REM") and number_said(constant["name"]) != number:
                yield source.finding(at, f"{constant['name']} = {found[0]}", INSTEAD)
            elif TIMER.search(line) and re.search(r"set(?:Timeout|Interval)\(|^\s*\}, ", line):
                yield source.finding(at, f"a timer of {found[0]} ms", INSTEAD)
            elif not constant and number not in FACTORS:
                is_length = FACTOR_AFTER.match(line, found.end())
                if is_length or (number >= SMALL and not ASIDE.search(line[: found.start()])):
                    yield source.finding(at, f"the number {found[0]}", INSTEAD)


def reasons_at_boot(source: Source) -> Iterator[Finding]:
    """Each time and size that systemd or a shell is told has its reason right above it."""
    if source.path.suffix not in {".service", ".sh"}:
        return
    lines = source.text.splitlines()
    for at, line in enumerate(lines, start=1):
        if AT_BOOT.search(line) and not (at > 1 and REASON.match(lines[at - 2])):
            yield source.finding(at, line.strip(), "say above it, in a comment, why this number and not half of it")
