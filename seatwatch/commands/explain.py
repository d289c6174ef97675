"""`seatwatch explain`: why one conversation counts as what it counts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import open_ledger, published_or_exit
from seatwatch.ending import refuse
from seatwatch.instants import instant_named, local_day, zone_named
from seatwatch.refusals import speak
from seatwatch.settings import load_defaults

if TYPE_CHECKING:
    from ledger.reader import LedgerReader
    from seatwatch.printed.teller import Teller
    from sla_engine._core.attribution import Trace
    from sla_engine._core.definition import Definition
    from sla_engine.explain import Explanation, Record, Session

EXAMPLES = """
Examples:

  seatwatch explain c-20261102-0042 --client acme

  seatwatch explain c-20261102-0042 --client acme --definition jd-30s --lang zh    as another definition counts it

  seatwatch explain c-20261102-0042 --client acme --at "2026-11-02 09:00" --json   the session that ran then
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=EXAMPLES)(explain)


def explain(
    conversation: Annotated[str, typer.Argument(help="the conversation's id, as its source tells it")],
    client: Annotated[str, typer.Option(help="whose conversation it is")],
    definition: Annotated[
        str | None,
        typer.Option(help="NAME[@VERSION], a preset or a file; default: the one in force at the session's start"),
    ] = None,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
    at: Annotated[
        str | None, typer.Option("--at", help="only the session that ran then, as 2026-11-21 11:00", metavar="T")
    ] = None,
    data: Annotated[Path, typer.Option("--data", help="the data directory", readable=False)] = Path("data"),
    zone: Annotated[
        str, typer.Option("--zone", help="time zone of what is shown, and of T; default: the definition's")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Show timeline, clocks, rules and verdict of a conversation. Reads only, also beside a running server.

    Exit 0 when it is explained, 1 when the ledger holds nothing of it, 2 when asked for wrongly.
    """
    from seatwatch.printed.explanation import as_json as json_of
    from seatwatch.printed.explanation import show
    from seatwatch.printed.teller import Teller

    speak(lang)
    if not conversation:
        refuse("CONVERSATION: is empty; write the conversation's id, as its source tells it")
    reader = open_ledger(data, client)
    try:
        asked = None if definition is None else published_or_exit(reader, "--definition", definition)
        zone = zone_named(zone) if zone else _zone(reader, asked)
        instant = None if at is None else instant_named("--at", at, zone)
        explained = _explained(reader, conversation, asked, instant, zone)
        why = {} if asked is not None else _why(reader, explained)
    finally:
        reader.close()
    tell = Teller(lang, ZoneInfo(zone))
    if not explained.told:
        if as_json:
            typer.echo(json_of(explained, tell, {}))
        typer.echo(f"{conversation}: {tell.word('not_received')}{_holds(explained.record, tell)}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json_of(explained, tell, why))
    else:
        show(explained, tell, why)


def _zone(reader: "LedgerReader", asked: "Definition | None") -> str:
    """Where the definition's clock hangs: that of the one asked for, or of the client's promise."""
    from ledger.errors import LedgerError
    from sla_engine._core.contract import EVERY_QUEUE
    from sla_engine.replay import entered_rules
    from sla_engine.reports.making import ruling_of
    from wire.limits import INSTANT_MAX_MS

    if asked is not None:
        return asked.time_zone
    try:
        ruling = ruling_of(*entered_rules(reader), None, (EVERY_QUEUE,), INSTANT_MAX_MS)
    except LedgerError as error:
        refuse(str(error), 1)
    return load_defaults().text("contract.time_zone") if ruling is None else ruling.frame.time_zone


def _explained(
    reader: "LedgerReader", conversation: str, asked: "Definition | None", instant: int | None, zone: str
) -> "Explanation":
    import msgspec

    from ledger.errors import LedgerError
    from seatwatch.progress import entries_bar
    from sla_engine.explain import explain as explained_by

    lookback_ms = load_defaults().ms("board.lookback")
    within = None if instant is None else local_day(instant, ZoneInfo(zone))
    try:
        with entries_bar(conversation, 2 * reader.size()) as progress:
            found = explained_by(
                reader, conversation, asked=asked, within=within, lookback_ms=lookback_ms, passed=progress
            )
    except LedgerError as error:
        refuse(str(error), 1)
    if instant is None:
        return found
    stands = found.stands
    if stands is not None and stands.waiting_since is not None and stands.waiting_since <= instant:
        return msgspec.structs.replace(found, sessions=_of(found, stands.session))
    running = [session for session in found.sessions if session.fact.started_at <= instant]
    return msgspec.structs.replace(found, sessions=tuple(running[-1:]), stands=None)


def _why(reader: "LedgerReader", explained: "Explanation") -> "dict[int, Trace]":
    """By session, what stood behind each one that was missed."""
    from ledger.errors import LedgerError
    from seatwatch.printed.cause_words import why_missed

    try:
        return why_missed(reader, explained, load_defaults())
    except LedgerError as error:
        refuse(str(error), 1)


def _of(found: "Explanation", session: int) -> "tuple[Session, ...]":
    return tuple(each for each in found.sessions if each.fact.session == session)


def _holds(record: "Record", tell: "Teller") -> str:
    """What there is instead, so that a lost event is told from one that never was."""
    if record.first_at is None or record.last_at is None:
        return tell.word("holds_nothing")
    told = tell.filled(
        "holds_entries",
        entries=f"{record.entries:,}",
        first=tell.at(record.first_at),
        last=tell.at(record.last_at),
        gaps=record.gaps,
        lost=record.lost,
        quarantined=record.quarantined,
        silences=len(record.silences),
    )
    naming = ", ".join(f"#{index}" for index in record.naming_it)
    return told + (tell.filled("holds_named", indexes=naming) if naming else "")
