"""Runs floors and counts which cause each miss has, by truth and by trace."""

from collections import Counter
from random import Random

from sla_engine._core.attribution import AfterLimits
from sla_engine._core.circumstances import LoadLimits
from sla_engine.causes import CauseLimits, causes
from tests.causes.floor import LIMIT_MS, answers, customers, draw_trouble, extra
from tests.causes.telling import client_entries, incidents_of, told_reply
from wire.incident import Cause
from wire.limits import INSTANT_MAX_MS

LIMITS = CauseLimits(
    LoadLimits(
        surge_window_ms=300_000,
        surge_arrivals=10,
        surge_percent=200,
        surge_usual_ms=3_600_000,
        surge_windows_before=2,
        hands_limit=3,
        hands_idle_ms=7_200_000,
        platform_noticed_ms=60_000,
    ),
    AfterLimits(shifted_percent=20, aftermath_ms=120_000, pile=2),
)
INJECTED = [*(cause for cause in Cause if cause not in {Cause.MONITORING, Cause.CLOCK})]
Matrix = Counter[tuple[Cause, Cause]]
"""(truth, traced) -> misses."""


def run(seed: int) -> Matrix:
    """One floor for every cause, and one more for a single line."""
    found: Matrix = Counter()
    for cause in INJECTED:
        found += run_one(Random(f"{seed} {cause}"), cause)
    return found + run_one(Random(f"{seed} one line"), Cause.UPLINK, one_line=True)


def run_one(random: Random, cause: Cause, *, one_line: bool = False) -> Matrix:
    """One floor with one trouble."""
    trouble = draw_trouble(random, cause, one_line=one_line)
    usual = customers(random)
    more = extra(random, trouble)
    calm = {each.customer.name: each for each in answers(usual, None)}
    told = answers([*usual, *more], trouble)
    truth = {}
    for each in told:
        would_be_late = each.customer.think_ms > LIMIT_MS
        if each.customer.name in calm:
            would_be_late = calm[each.customer.name].missed
        is_late = told_reply(each, trouble) - each.customer.at > LIMIT_MS
        if is_late:
            truth[each.customer.name] = Cause.NONE if would_be_late else trouble.cause
    entries = client_entries(told, trouble, incidents_of(trouble))
    traced = causes([entries], 0, INSTANT_MAX_MS, LIMITS)
    return Counter((truth[each.fact.conversation], each.trace.cause) for each in traced)


def on_diagonal(matrix: Matrix) -> tuple[int, int]:
    """Misses whose cause was found, and all."""
    return sum(count for (truth, traced), count in matrix.items() if truth is traced), matrix.total()


def table(matrix: Matrix) -> str:
    """The matrix as text: a row per truth, a column per trace."""
    names = [cause for cause in Cause if any(cause in pair for pair in matrix)]
    width = max(len(name) for name in names) + 1
    lines = [" " * width + "".join(f"{name[:9]:>10}" for name in names)]
    for truth in names:
        counts = "".join(f"{matrix[truth, traced] or '.':>10}" for traced in names)
        lines.append(f"{truth:<{width}}{counts}")
    right, whole = on_diagonal(matrix)
    share = f"{right * 100 / whole:.1f} %" if whole else "nothing missed"
    return "\n".join([*lines, f"{right} of {whole} misses traced to what made them: {share}"])
