"""`seatwatch report`: the figures of a client over some time, from its ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import open_ledger, queues_or_exit
from seatwatch.ending import refuse
from seatwatch.instants import instant_or_day
from seatwatch.naming import ConfigOption, DataOption, record_and_names
from seatwatch.refusals import speak
from seatwatch.settings import load_defaults

if TYPE_CHECKING:
    from ledger.reader import LedgerReader
    from seatwatch.printed.teller import Teller
    from sla_engine.reports._core.report import Question, Report
    from sla_engine.reports.making import Ruling

EXAMPLES = """
Examples:

  seatwatch report --client acme --from 2026-11-01 --to 2026-12-01 --by day

  seatwatch report --client acme --from 2026-11-02 --to 2026-11-03 --by hour --queue presale --lang zh

  seatwatch report --client acme --from 2026-11-01 --to 2026-12-01 --by team --definition jd-30s

  seatwatch report --client acme --from 2026-11-01 --to 2026-12-01 --by month --format csv > november.csv

  seatwatch report --client acme --from 2026-11-01 --to 2026-12-01 --by cause --lang zh
"""
Rows = Literal["hour", "day", "week", "month", "shift", "team", "site", "shop", "agent", "cause"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog=EXAMPLES)(report)


def report(  # noqa: PLR0917 - typer passes options by name
    client: Annotated[str, typer.Option(help="whose figures")],
    since: Annotated[str, typer.Option("--from", help="sessions that start from here on, as 2026-11-01", metavar="T")],
    until: Annotated[str, typer.Option("--to", help="and before this instant", metavar="T")],
    by: Annotated[Rows, typer.Option(help="what a row is")] = "day",
    queue: Annotated[list[str] | None, typer.Option("--queue", help="only this queue; may be repeated")] = None,
    definition: Annotated[
        str | None,
        typer.Option(help="another definition of the contract; or NAME@VERSION, a preset or a file, by replay"),
    ] = None,
    known_at: Annotated[
        str | None, typer.Option("--known-at", help="leave out what came in after this", metavar="T")
    ] = None,
    shown_as: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="how to print it")] = "table",
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words of a table")] = "en",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Print figures of the sessions that start within a time, by the contract's own definition or by another one.

    Reads only, also beside a running server. A date alone is the start of that business day, with --by month that of
    the contract's period; times are of the definition's zone. Exit 0 when it is printed, 1 when the ledger cannot be
    read, 2 when asked for wrongly.
    """
    from ledger.errors import LedgerError
    from seatwatch.printed.report import as_csv, as_json, show
    from seatwatch.printed.teller import Teller
    from sla_engine.reports._core.buckets import By
    from sla_engine.reports._core.report import Question

    speak(lang)
    data, names = record_and_names(data, config, lang)
    reader = open_ledger(data, client)
    try:
        queues = queues_or_exit(reader, queue)
        asked = _Asked(reader, definition, queues)
        start = asked.instant("--from", since, by, asked.ruling(asked.instant("--from", since, by, asked.latest)))
        ruling = asked.ruling(start)
        end = asked.instant("--to", until, by, ruling)
        if end <= start:
            refuse(f"--to {until}: not after --from {since}")
        _refuse_many_rows(by, end - start)
        known = None if known_at is None else asked.instant("--known-at", known_at, by, ruling)
        question = Question(client=client, by=By(by), since=start, until=end, queues=queues, known_at=known)
        if by == "cause":
            _refuse_for_causes(definition, known_at)
            _print_causes(reader, question, shown_as, Teller(lang, ZoneInfo(ruling.frame.time_zone)))
            return
        found = _made(reader, data / "facts" / client, question, ruling)
    except (LedgerError, OSError) as error:  # a fold of much needs room for a temporary file
        refuse(f"--client {client}: {error}", 1)
    finally:
        reader.close()
    if shown_as == "json":
        typer.echo(as_json(found))
    elif shown_as == "csv":
        typer.echo(as_csv(found), nl=False)
    else:
        show(found, Teller(lang, ZoneInfo(found.head.time_zone), names=names), names.of_rows(by, client))


class _Asked:
    """Whose rules the report is cut and counted by. Exits with 2 where nothing says, or what is named is unusable."""

    def __init__(self, reader: "LedgerReader", named: str | None, queues: tuple[str, ...]) -> None:
        from seatwatch.commands.definition._loading import published_or_exit
        from sla_engine.replay import entered_rules
        from wire.limits import INSTANT_MAX_MS

        self._rules = entered_rules(reader)
        self._queues = queues
        self._named = None
        if named is not None:
            self._named = published_or_exit(reader, "--definition", named), "@" in named
        self.latest = self.ruling(INSTANT_MAX_MS)

    def ruling(self, at: int) -> "Ruling":
        """What a table that begins at `at` (ms) is cut by."""
        from sla_engine.reports.making import ruling_of

        found = ruling_of(*self._rules, self._named, self._queues, at)
        if found is None:
            refuse("no contract in the ledger covers this; name rules with --definition NAME, such as contract-10s")
        return found

    def instant(self, option: str, text: str, by: str, ruling: "Ruling") -> int:
        """Ms of an instant, in the zone of these rules; of a date, where its day or month starts."""
        from sla_engine.reports._core.composing import frame_of

        frame = frame_of(ruling.frame, ruling.contract)
        starts_ms = frame.months.starts_ms if by == "month" else frame.days.day_starts_ms
        return instant_or_day(option, text, frame.days.zone, starts_ms)


def _refuse_many_rows(by: str, span_ms: int) -> None:
    """Exit with 2, at once, where nobody could read what would take minutes."""
    from sla_engine._core.windows import DAY_MS
    from sla_engine.reports._core.buckets import DAYS_PER_WEEK, HOUR_MS

    # Format: the longest of each kind of period.
    longest_ms = {"hour": HOUR_MS, "day": DAY_MS, "week": DAYS_PER_WEEK * DAY_MS, "month": 31 * DAY_MS}
    most = load_defaults().int("engine.report_rows")
    if by not in longest_ms or span_ms <= most * longest_ms[by]:
        return
    fewer = [f"--by {each}" for each, ms in longest_ms.items() if span_ms <= most * ms]
    instead = " or ".join([*fewer[:1], "a shorter time"])
    refuse(f"--by {by}: about {span_ms // longest_ms[by]:,} rows, more than {most:,}; ask for {instead}")


def _refuse_for_causes(definition: str | None, known_at: str | None) -> None:
    if definition is not None:
        refuse("--by cause: misses are those of the contract's own definition; leave out --definition")
    if known_at is not None:
        refuse("--by cause: causes are found with all that is known by now; leave out --known-at")


def _print_causes(reader: "LedgerReader", question: "Question", shown_as: str, tell: "Teller") -> None:
    from seatwatch.printed.cause_report import cause_rows, causes_csv, causes_json, show_causes
    from seatwatch.printed.cause_words import causes_found

    rows = cause_rows(causes_found(reader, question.since, question.until, load_defaults()), question.queues)
    if shown_as == "json":
        typer.echo(causes_json(rows, question))
    elif shown_as == "csv":
        typer.echo(causes_csv(rows, question), nl=False)
    else:
        show_causes(rows, question, tell)


def _made(reader: "LedgerReader", facts: Path, question: "Question", ruling: "Ruling") -> "Report":
    from seatwatch.progress import entries_bar
    from sla_engine.reports.making import ReportSettings
    from sla_engine.reports.making import report as made

    defaults = load_defaults()
    settings = ReportSettings(
        lookback_ms=defaults.ms("board.lookback"),
        facts_lag_ms=defaults.ms("engine.report_facts_lag"),
        hands_idle_ms=defaults.ms("board.hands_idle"),
    )
    with entries_bar(f"{question.client} / {question.by}", reader.size()) as progress:
        return made(reader, facts, question, ruling, settings, progress)
