"""An explained conversation for a person, and the same as one JSON object."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from seatwatch.cause_words import cause_words
from seatwatch.explain_words import Teller
from seatwatch.screens import console_of
from sla_engine._core.attribution import Trace
from sla_engine._core.case import Clock, instant_of
from sla_engine.explain import Explanation, Session
from wire.recorded import Recorded
from wire.verdict import SessionFact

COLUMNS: Final = 140
"""Width in a file or a pipe."""


def show(explained: Explanation, tell: Teller, why: Mapping[int, Trace]) -> None:
    """Timeline, then every session: verdict, clocks, rules, legs, revisions, and of a miss its cause (`why`)."""
    console = console_of(COLUMNS)
    by_index = {entry.index: entry for entry in explained.told}
    console.print(_timeline(explained, tell))
    for line in _imports(explained, tell):
        console.print(line, markup=False)
    for session in explained.sessions:
        _session(console, session, by_index, explained, tell)
        trace = why.get(session.fact.session)
        if trace is not None:
            console.print(f"{tell.word('cause')}: {cause_words(trace, tell)}", markup=False)
    _standing(console, explained, tell)


def _timeline(explained: Explanation, tell: Teller) -> Table:
    table = _plain(f"{tell.word('timeline')} {explained.conversation}", 5)
    for entry in explained.told:
        late_ms = late_by(entry, explained)
        late = tell.filled("came_in_late", late_ms=tell.lasting(late_ms)) if late_ms else ""
        at = entry.body.occurred_at if entry.body is not None else None
        table.add_row(tell.at(at), entry.source, _event(entry, explained, tell), f"#{entry.index}", late)
    return table


def _event(entry: Recorded, explained: Explanation, tell: Teller) -> str:
    return tell.event(entry, on_call=explained.is_call(instant_of(entry)))


def _imports(explained: Explanation, tell: Teller) -> Iterator[str]:
    """When each imported source came in, by local date: it is as late as imports are."""
    for source in explained.imported_from:
        days = {tell.on(entry.received_at): None for entry in explained.told if entry.source == source}
        yield f"{source}: {tell.filled('imported_on', date=', '.join(days))}"


def _plain(title: str, columns: int) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 1))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table


def _session(
    console: Console, session: Session, by_index: dict[int, Recorded], explained: Explanation, tell: Teller
) -> None:
    fact = session.fact
    console.print()
    console.print(
        f"[bold]{tell.filled('session_word', n=session.number)}[/bold]  {fact.queue}  {tell.at(fact.started_at)}"
    )
    held = session.definition
    console.print(f"{tell.word('verdict_heading')}: [bold]{verdict_words(fact, tell)}[/bold]")
    console.print(f"{tell.word('definition_word')}: {held.name}@{held.version}  {held.title}", markup=False)
    console.print(f"  SHA-256 {session.definition_sha256}")
    _clocks(console, session, tell)
    if session.rules:
        table = _plain(tell.word("rules_applied"), 3)
        for applied in session.rules:
            table.add_row(applied.row, tell.parameter(applied), tell.rule(applied))
        console.print(table)
    _turns(console, session, tell)
    _legs(console, session, tell)
    console.print(tell.word("revisions"))
    for said in session.said:
        console.print(f"  {said.revision}: {verdict_words(said, tell)}  {_decided_by(said, by_index, explained, tell)}")


def _clocks(console: Console, session: Session, tell: Teller) -> None:
    for key, clock in (("customer_clock", session.customer_clock), ("seat_clock", session.seat_clock)):
        if clock is None:
            continue
        told = tell.at(clock.started_at)
        if clock.stopped_at is not None:
            told += f" -> {tell.at(clock.stopped_at)}"
        if clock.total_ms is not None:
            told += f" = {tell.lasting(clock.total_ms)}"
        due = "" if clock.due_at is None else f"  ({tell.word('due_word')} {tell.at(clock.due_at)})"
        console.print(f"{tell.word(key)}: {told}{due}")
        if len(clock.ran) > 1:
            for start, end in clock.ran:
                console.print(f"  {tell.at(start)} -> {tell.at(end)} = {tell.lasting(end - start)}")
        if clock.correction_ms:
            console.print(f"  {tell.filled('corrected_by', n=tell.lasting(clock.correction_ms))}")


def _turns(console: Console, session: Session, tell: Teller) -> None:
    if session.turns:
        console.print(tell.word("turns_heading"))
    for turn in session.turns:
        judged = "" if turn.verdict is None else f"  {tell.word(turn.verdict)}"
        console.print(
            f"  {turn.turn}: {tell.at(turn.started_at)}  {tell.lasting(turn.duration_ms)}  {turn.place.account}{judged}"
        )


def _legs(console: Console, session: Session, tell: Teller) -> None:
    if session.legs:
        console.print(tell.word("legs_heading"))
    for leg in session.legs:
        replied = "" if leg.replied_at is None else f"  {tell.word('answered')} {tell.at(leg.replied_at)}"
        held = f"{tell.at(leg.started_at)} -> {tell.at(leg.ended_at)}"
        console.print(f"  {leg.place.account}: {held}  {tell.word(leg.end)}{replied}")


def _standing(console: Console, explained: Explanation, tell: Teller) -> None:
    stands = explained.stands
    if stands is None or stands.session in {session.fact.session for session in explained.sessions}:
        return
    console.print()
    console.print(f"[bold]{tell.filled('session_word', n=len(explained.sessions) + 1)}[/bold]  {stands.queue}")
    if not stands.definition:
        console.print(tell.word("no_definition"))
        return
    console.print(f"{tell.word('definition_word')}: {stands.definition}")
    due = "" if stands.due_at is None else f"  {tell.word('due_word')} {tell.at(stands.due_at)}"
    console.print(f"{tell.word('verdict_heading')}: {tell.word('not_judged_yet')}{due}")


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
            "sha256": session.definition_sha256,
        },
        "verdict": verdict_words(session.fact, tell),
        "fact": session.fact,
        "revisions": [{"text": verdict_words(said, tell), "fact": said} for said in session.said],
        "clocks": {"customer": _clock_json(session.customer_clock), "seat": _clock_json(session.seat_clock)},
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
