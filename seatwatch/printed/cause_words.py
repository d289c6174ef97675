"""Causes of misses, as thresholds want them looked for, and in words."""

from ledger.reader import LedgerReader
from seatwatch.printed.teller import Teller
from seatwatch.settings import Defaults
from sla_engine._core.attribution import AfterLimits, Trace
from sla_engine._core.circumstances import LoadLimits
from sla_engine.causes import Caused, CauseLimits, causes_in
from sla_engine.explain import Explanation
from wire.verdict import Verdict


def cause_limits(defaults: Defaults) -> CauseLimits:
    """Thresholds of what is load, and of what follows a trouble."""
    hands_limit, hands_idle_ms = defaults.int("board.hands_limit"), defaults.ms("board.hands_idle")
    load = defaults.fill(LoadLimits, "incidents", hands_limit=hands_limit, hands_idle_ms=hands_idle_ms)
    return CauseLimits(load, defaults.fill(AfterLimits, "incidents"))


def causes_found(reader: LedgerReader, since: int, until: int, defaults: Defaults) -> list[Caused]:
    """Why the misses of sessions that began within [since, until), ms, were misses. Raises LedgerCorrupt."""
    return causes_in(reader, since, until, cause_limits(defaults), lookback_ms=defaults.ms("board.lookback"))


def why_missed(reader: LedgerReader, explained: Explanation, defaults: Defaults) -> dict[int, Trace]:
    """By session, what stood behind each one of a conversation that was missed. Raises LedgerCorrupt."""
    missed = [each.fact for each in explained.sessions if each.fact.verdict is Verdict.BREACHED and not each.fact.void]
    if not missed:
        return {}
    since, until = min(fact.started_at for fact in missed), max(fact.started_at for fact in missed) + 1
    found = causes_found(reader, since, until, defaults)
    return {each.fact.session: each.trace for each in found if each.fact.conversation == explained.conversation}


def cause_words(trace: Trace, tell: Teller) -> str:
    """The cause, the incident, and what it took out of the wait."""
    named = tell.word(f"cause_{trace.cause}")
    if not trace.but_for:
        return named
    took = [
        each.overlap_ms for each in trace.candidates if (each.cause, each.incident) == (trace.cause, trace.incident)
    ]
    stood = [tell.filled("stood_in_the_way", n=tell.lasting(took[0]))] if took else []
    return ", ".join(part for part in (named, trace.incident, *stood, tell.word("met_but_for_it")) if part)
