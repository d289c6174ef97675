"""One conversation, told as `seatwatch explain` tells it."""

from collections.abc import Iterator, Mapping

from dashboards.portal.record import ConversationPage, Section
from seatwatch.printed.cause_words import cause_words
from seatwatch.printed.explanation import (
    clock_lines,
    import_lines,
    leg_lines,
    revision_lines,
    rule_rows,
    rules_lines,
    standing_lines,
    timeline_rows,
    turn_lines,
    verdict_words,
)
from seatwatch.printed.teller import Teller
from sla_engine._core.attribution import Trace
from sla_engine.explain import Explanation, Record


def conversation_page(explained: Explanation, why: Mapping[int, Trace], tell: Teller) -> ConversationPage:
    """The page, in words and times of `tell`. why: by session, the cause of a miss."""
    if not explained.told:
        return ConversationPage(
            explained.conversation, is_known=False, sections=(Section("", tuple(holding(explained.record, tell))),)
        )
    return ConversationPage(explained.conversation, is_known=True, sections=tuple(_sections(explained, why, tell)))


def holding(record: Record, tell: Teller) -> Iterator[str]:
    """What the record holds of the time instead, so that a lost event is told from one that never was."""
    if record.first_at is None or record.last_at is None:
        yield tell.word("portal_holds_nothing")
        return
    yield tell.filled("portal_holds", n=record.entries, since=tell.at(record.first_at), until=tell.at(record.last_at))
    yield tell.filled("portal_holds_gaps", n=record.gaps, lost=record.lost, quarantined=record.quarantined)
    for silence in record.silences:
        yield tell.filled(
            "portal_silence", source=silence.source, since=tell.at(silence.since), until=tell.at(silence.until)
        )
    if record.naming_it:
        yield tell.filled("portal_named_in", entries=", ".join(f"#{index}" for index in record.naming_it))


def _sections(explained: Explanation, why: Mapping[int, Trace], tell: Teller) -> Iterator[Section]:
    rows = tuple(timeline_rows(explained, tell))
    yield Section(tell.word("timeline"), tuple(import_lines(explained, tell)), rows)
    for session in explained.sessions:
        fact = session.fact
        title = f"{tell.filled('session_word', n=session.number)}  {tell.queue(fact.queue)}  {tell.at(fact.started_at)}"
        yield Section(
            title,
            (
                f"{tell.word('verdict_heading')}: {verdict_words(fact, tell)}",
                *(f"{tell.word('cause')}: {cause_words(trace, tell)}" for trace in _of(why, fact.session)),
                *rules_lines(session, tell),
                *clock_lines(session, tell),
            ),
        )
        if session.rules:
            yield Section(tell.word("rules_applied"), (), tuple(rule_rows(session, tell)))
        legs = leg_lines(session, explained, tell)
        for lines in (turn_lines(session, tell), legs, revision_lines(session, explained, tell)):
            yield from _headed(lines)
    yield from _headed(standing_lines(explained, tell))


def _headed(lines: Iterator[str]) -> Iterator[Section]:
    """A section of lines whose first one is its heading; none of no lines."""
    heading = next(lines, None)
    if heading is not None:
        yield Section(heading, tuple(lines))


def _of(why: Mapping[int, Trace], session: int) -> Iterator[Trace]:
    """The cause of one session's miss, if it is one."""
    if session in why:
        yield why[session]
