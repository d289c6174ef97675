"""An explained conversation for a person, and the same as one JSON object."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatwatch.printed.cause_words import cause_words
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine._core.attribution import Trace
from sla_engine._core.case import Clock, instant_of
from sla_engine._core.definition import canonical, definition_hash
from sla_engine.explain import Explanation, Session
from sla_engine.reports._core.handed_on import arrivals_of, visits
from wire.recorded import Recorded
from wire.spelling import isolated, readable
from wire.verdict import Outcome, SessionFact

# Layout: of a table.
COLUMNS: Final = 140
"""Width in a file or a pipe."""


def show(explained: Explanation, tell: Teller, why: Mapping[int, Trace]) -> None:
    """Timeline, then every session: verdict, clocks, rules, legs, revisions, and of a miss its cause (`why`)."""
    console = console_of(COLUMNS)
    console.print(_timeline(explained, tell))
    for line in import_lines(explained, tell):
        console.print(line)
    for session in explained.sessions:
        _session(console, session, explained, tell)
        trace = why.get(session.fact.session)
        if trace is not None:
            console.print(f"{tell.word('cause')}: {cause_words(trace, tell)}")
    for number, line in enumerate(standing_lines(explained, tell)):
        console.print(line if number else Text(f"\n{line}", style="bold"))


def _timeline(explained: Explanation, tell: Teller) -> Table:
    table = _plain(f"{tell.word('timeline')} {explained.conversation}", 5)
    for row in timeline_rows(explained, tell):
        table.add_row(*row)
    return table


def timeline_rows(explained: Explanation, tell: Teller) -> Iterator[tuple[str, ...]]:
    """When, from where, what, which entry, and how late it came in if it did."""
    for entry in explained.told:
        late_ms = late_by(entry, explained)
        late = tell.filled("came_in_late", late_ms=tell.lasting(late_ms)) if late_ms else ""
        at = entry.body.occurred_at if entry.body is not None else None
        yield tell.at(at), entry.source, _event(entry, explained, tell), f"#{entry.index}", late


def _event(entry: Recorded, explained: Explanation, tell: Teller) -> str:
    return tell.event(entry, on_call=explained.is_call(instant_of(entry)))


def import_lines(explained: Explanation, tell: Teller) -> Iterator[str]:
    """When each imported source came in, by local date: it is as late as imports are."""
    for source in explained.imported_from:
        days = {tell.on(entry.received_at): None for entry in explained.told if entry.source == source}
        yield f"{source}: {tell.filled('imported_on', date=', '.join(days))}"


def _plain(title: str, columns: int) -> Table:
    # Layout: of a table.
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 1))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table


def _session(console: Console, session: Session, explained: Explanation, tell: Teller) -> None:
    fact = session.fact
    console.print()
    name = tell.filled("session_word", n=session.number)
    console.print(Text.assemble((name, "bold"), f"  {tell.queue(fact.queue)}  {tell.at(fact.started_at)}"))
    console.print(Text.assemble(f"{tell.word('verdict_heading')}: ", (verdict_words(fact, tell), "bold")))
    _print(console, rules_lines(session, tell))
    _print(console, clock_lines(session, tell))
    if session.rules:
        table = _plain(tell.word("rules_applied"), 3)
        for row in rule_rows(session, tell):
            table.add_row(*row)
        console.print(table)
    _print(console, turn_lines(session, tell))
    _print(console, leg_lines(session, explained, tell))
    _print(console, revision_lines(session, explained, tell))


def _print(console: Console, lines: Iterator[str]) -> None:
    for line in lines:
        console.print(line)


def rules_lines(session: Session, tell: Teller) -> Iterator[str]:
    """The definition with its hash, and the contract that put it in force."""
    held, contract = session.definition, session.contract
    yield f"{tell.word('definition_word')}: {held.name}@{held.version}  {tell.title(held)}"
    yield f"  SHA-256 {session.definition_sha256}"
    if contract is not None:
        named = isolated(contract.title) or contract.name
        yield tell.filled("explain_contract", name=named, since=tell.at(contract.effective_from))


def clock_lines(session: Session, tell: Teller) -> Iterator[str]:
    """Both clocks: from, to, how long; the stretches they ran in where those are several. Then the service level's."""
    for key, clock in (("customer_clock", session.customer_clock), ("seat_clock", session.seat_clock)):
        if clock is None:
            continue
        told = tell.at(clock.started_at)
        if clock.stopped_at is not None and clock.stopped_at >= (clock.started_at or 0):  # else answered before it
            told += f" -> {tell.at(clock.stopped_at)}"
        if clock.total_ms is not None:
            told += f" = {tell.lasting(clock.total_ms)}"
        due = "" if clock.due_at is None else f"  ({tell.word('due_word')} {tell.at(clock.due_at)})"
        yield f"{tell.word(key)}: {told}{due}"
        if len(clock.ran) > 1:
            for start, end in clock.ran:
                yield f"  {tell.at(start)} -> {tell.at(end)} = {tell.lasting(end - start)}"
        if clock.correction_ms:
            yield f"  {tell.filled('corrected_by', n=tell.lasting(clock.correction_ms))}"
    level = session.service_level
    if level is not None:
        waited = "answer_wait" if session.fact.outcome is Outcome.ANSWERED else "unanswered_wait"
        judged = tell.filled(
            "wait_within" if level.is_within else "wait_beyond",
            limit=tell.lasting(level.threshold_ms),
            formula=tell.word(level.formula),
        )
        yield f"{tell.word(waited)}: {tell.lasting(level.wait_ms)}  ({judged})"


def turn_lines(session: Session, tell: Teller) -> Iterator[str]:
    """Every judged turn, under a heading where there are any."""
    if session.turns:
        yield tell.word("turns_heading")
    for turn in session.turns:
        judged = "" if turn.verdict is None else f"  {tell.word(turn.verdict)}"
        if turn.why is not None:
            judged += f" ({tell.word(turn.why)})"
        who = readable(turn.place.account)
        yield f"  {turn.turn}: {tell.at(turn.started_at)}  {tell.lasting(turn.duration_ms)}  {who}{judged}"


def leg_lines(session: Session, explained: Explanation, tell: Teller) -> Iterator[str]:
    """Every stay in somebody's hands, under a heading where there are any."""
    if session.legs:
        yield tell.word("legs_heading")
    arrivals = arrivals_of(entry.body for entry in explained.told if entry.body is not None)
    received = list(visits(session.legs, arrivals, session.definition.gap_to_new_session_ms))
    waited = {visit.leg: visit.wait_ms for visit in received if visit.leg is not None}
    for leg in session.legs:
        held = f"{tell.at(leg.started_at)} -> {tell.at(leg.ended_at)}"
        parts = [f"{tell.queue(leg.queue)}  {readable(leg.place.account)}: {held}", tell.word(leg.end)]
        if leg.replied_at is not None:
            lasted_ms = leg.replied_at - leg.started_at  # 0: the reply itself says whose it was
            seat_clock = f" ({tell.filled('leg_seat_clock', lasted=tell.lasting(lasted_ms))})" if lasted_ms else ""
            parts.append(f"{tell.word('answered')} {tell.at(leg.replied_at)}{seat_clock}")
        if leg.leg in waited:
            parts.append(tell.filled("leg_waited", lasted=tell.lasting(waited[leg.leg])))
        yield f"  {'  '.join(parts)}"
    for visit in received:
        if visit.leg is None:
            yield f"  {tell.filled('leg_not_taken', at=tell.at(visit.at), queue=tell.queue(visit.queue))}"


def revision_lines(session: Session, explained: Explanation, tell: Teller) -> Iterator[str]:
    """Every word on it, and the entry that said so."""
    by_index = {entry.index: entry for entry in explained.told}
    yield tell.word("revisions")
    for said in session.said:
        yield f"  {said.revision}: {verdict_words(said, tell)}  {_decided_by(said, by_index, explained, tell)}"


def rule_rows(session: Session, tell: Teller) -> Iterator[tuple[str, str, str]]:
    """(row of the table of edge cases, parameter, what it did) of every rule that applied."""
    return ((applied.row, tell.parameter(applied), tell.rule(applied)) for applied in session.rules)


def standing_lines(explained: Explanation, tell: Teller) -> Iterator[str]:
    """The session that runs and is not judged yet, where there is one; its heading first. Or that none can be."""
    stands = explained.stands
    if stands is None and not explained.sessions and not explained.is_ruled:
        yield tell.word("no_definition")
    if stands is None or stands.session in {session.fact.session for session in explained.sessions}:
        return
    yield f"{tell.filled('session_word', n=len(explained.sessions) + 1)}  {tell.queue(stands.queue)}"
    held = explained.stands_under
    if held is None:
        yield tell.word("no_definition")
        return
    yield f"{tell.word('definition_word')}: {held.name}@{held.version}  {tell.title(held)}"
    yield f"  SHA-256 {definition_hash(canonical(held))}"
    due = "" if stands.due_at is None else f"  {tell.word('due_word')} {tell.at(stands.due_at)}"
    yield f"{tell.word('verdict_heading')}: {tell.word('not_judged_yet')}{due}"


def verdict_words(fact: SessionFact, tell: Teller) -> str:
    """Verdict and why, in words."""
    if fact.void:
        return tell.word("joined_session")
    return f"{tell.word(fact.verdict)}: {tell.word(fact.why)}"


def _decided_by(fact: SessionFact, by_index: dict[int, Recorded], explained: Explanation, tell: Teller) -> str:
    told = tell.filled("changed_by_entry", entry=fact.entry_index)
    entry = by_index.get(fact.entry_index)
    if entry is None:
        return f"{told} ({tell.word('record_complete')})"
    return f"{told} ({_event(entry, explained, tell)}, {tell.filled('received_at', at=tell.at(entry.received_at))})"


def late_by(entry: Recorded, explained: Explanation) -> int:
    """How late an entry came in, ms, where that is more than the definition allows for; else 0. Imports are never."""
    if entry.body is None or entry.source in explained.imported_from:
        return 0
    allowed = min((session.definition.lateness_allowance_ms for session in explained.sessions), default=0)
    late_ms = entry.received_at - entry.body.occurred_at
    return late_ms if late_ms > allowed else 0


def as_json(explained: Explanation, tell: Teller, why: Mapping[int, Trace]) -> bytes:
    """Everything, instants and durations in ms, with the sentences beside their names."""
    found: dict[str, Any] = {
        "conversation": explained.conversation,
        "timeline": [
            {
                "at": None if entry.body is None else entry.body.occurred_at,
                "received_at": entry.received_at,
                "late_ms": late_by(entry, explained),
                "entry": entry.index,
                "source": entry.source,
                "kind": entry.kind,
                "text": _event(entry, explained, tell),
            }
            for entry in explained.told
        ],
        "sessions": [
            _session_json(session, tell) | {"cause": _cause_json(why.get(session.fact.session))}
            for session in explained.sessions
        ],
        "imported_from": explained.imported_from,
        "stands": explained.stands,
        "record": explained.record,
    }
    return msgspec.json.encode(found)


def _session_json(session: Session, tell: Teller) -> dict[str, Any]:
    return {
        "number": session.number,
        "definition": {
            "label": session.fact.definition,
            "name": session.definition.name,
            "version": session.definition.version,
            "official": session.definition.official,
            "sha256": session.definition_sha256,
        },
        "contract": None
        if session.contract is None
        else {"name": session.contract.name, "effective_from": session.contract.effective_from},
        "verdict": verdict_words(session.fact, tell),
        "fact": session.fact,
        "revisions": [{"text": verdict_words(said, tell), "fact": said} for said in session.said],
        "clocks": {"customer": _clock_json(session.customer_clock), "seat": _clock_json(session.seat_clock)},
        "service_level": session.service_level,
        "rules": [applied._asdict() | {"text": tell.rule(applied)} for applied in session.rules],
        "turns": session.turns,
        "legs": session.legs,
    }


def _cause_json(why: Trace | None) -> dict[str, Any] | None:
    if why is None:
        return None
    return {
        "cause": why.cause,
        "but_for": why.but_for,
        "incident": why.incident,
        "candidates": why.candidates,
    }


def _clock_json(clock: Clock | None) -> dict[str, Any] | None:
    return None if clock is None else clock._asdict() | {"ran": [list(interval) for interval in clock.ran]}
