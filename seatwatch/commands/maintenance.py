"""`seatwatch maintenance`: work that is planned, so that what it breaks is no surprise."""

import asyncio
import getpass
import re
from collections.abc import Coroutine
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from seatwatch.clock import now_ms
from seatwatch.ending import configured, no_record, record_of, refuse
from seatwatch.instants import instant_named, local_time, zone_named
from seatwatch.settings import MS_PER_UNIT, load_defaults

if TYPE_CHECKING:
    from seatwatch.maintenance_job import Target, Work
    from wire.incident import MaintenanceSaid, MaintenanceStep

EXAMPLES = """
Examples:

  seatwatch maintenance plan --line chengdu/telecom --from "2026-12-01 02:00" --for 2h --reason "new modem"

  seatwatch maintenance start --ups chengdu/rack --for 90min --reason "battery test"    from now on

  seatwatch maintenance end --ups chengdu/rack    or by its id: end m-1a2b3c4d

  seatwatch maintenance list
"""
# Layout: names on a line of a note; a floor has hundreds of seats, each of them a source.
_NAMES_SHOWN: Final = 6
_LENGTH: Final = re.compile(r"(\d+) *(s|min|m|h|d)")

SiteOption = Annotated[str, typer.Option("--site", help="all of a site")]
LineOption = Annotated[str, typer.Option("--line", help="one broadband line", metavar="SITE/LINE")]
UpsOption = Annotated[str, typer.Option("--ups", help="one UPS", metavar="SITE/UPS")]
FeedOption = Annotated[str, typer.Option("--feed", help="one source of conversations or readings", metavar="SOURCE")]
LengthOption = Annotated[str, typer.Option("--for", help="for how long, as 90min or 2h")]
ReasonOption = Annotated[str, typer.Option("--reason", help="what is done")]
ByOption = Annotated[str, typer.Option("--by", help="who answers for it; default: your login name")]
ZoneOption = Annotated[str, typer.Option("--zone", help="time zone of what is written and shown")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="the data directory; without it the configuration's, or ./data"),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="the server's configuration: a site that is not in it is refused")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Planned work on sites, lines, UPSes and feeds.", no_args_is_help=True, epilog=EXAMPLES)
    group.command("plan", epilog=EXAMPLES)(plan)
    group.command("start", epilog=EXAMPLES)(start)
    group.command("end", epilog=EXAMPLES)(end)
    group.command("list", epilog=EXAMPLES)(list_)
    app.add_typer(group, name="maintenance")


def plan(
    *,
    starts: Annotated[str, typer.Option("--from", help="when it begins, as 2026-12-01 02:00", metavar="T")],
    length: LengthOption,
    reason: ReasonOption,
    site: SiteOption = "",
    line: LineOption = "",
    ups: UpsOption = "",
    feed: FeedOption = "",
    by: ByOption = "",
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Declare work before it begins. Declared after, it is on the record and excuses nothing.

    Exit 0 when it is on the record, 1 when it could not be written, 2 when asked for wrongly.
    """
    from wire.incident import MaintenanceStep

    starts_at = instant_named("--from", starts, _zone(zone))
    target = _target(site, line, ups, feed)
    _check(target, reason, by, config)
    _say(
        target,
        MaintenanceStep.PLANNED,
        (starts_at, starts_at + _length_ms(length)),
        (reason, by),
        zone,
        record_of(data, config),
    )


def start(
    *,
    length: LengthOption,
    reason: ReasonOption,
    site: SiteOption = "",
    line: LineOption = "",
    ups: UpsOption = "",
    feed: FeedOption = "",
    by: ByOption = "",
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Begin work now. What it breaks from now on is planned; what was broken before is not.

    Exit 0 when it is on the record, 1 when it could not be written, 2 when asked for wrongly.
    """
    from wire.incident import MaintenanceStep

    now = now_ms()
    target = _target(site, line, ups, feed)
    _check(target, reason, by, config)
    _say(target, MaintenanceStep.STARTED, (now, now + _length_ms(length)), (reason, by), zone, record_of(data, config))


def end(
    maintenance: Annotated[str, typer.Argument(help="its id, as `list` shows it")] = "",
    *,
    site: SiteOption = "",
    line: LineOption = "",
    ups: UpsOption = "",
    feed: FeedOption = "",
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """End work now: the one of an id, or all that runs on what is named. What is still broken is ordinary from now on.

    Exit 0 when it is on the record, 1 when it could not be written, 2 when there is no such work.
    """
    import msgspec

    from seatwatch.maintenance_job import word
    from wire.incident import MaintenanceStep

    if bool(maintenance) + sum(map(bool, (site, line, ups, feed))) != 1:
        refuse("say what is to end: its id, or one of --site, --line, --ups, --feed")
    place = record_of(data, config)
    known = _works(place)
    if maintenance:
        found = [work for work in known if work.maintenance == maintenance]
        if not found:
            refuse(f"{maintenance}: no such work in {place}")
    else:
        found = _running(known, _target(site, line, ups, feed))
    for work in found:
        ended = word(work.target, MaintenanceStep.ENDED, work.starts_at, now_ms(), work.reason, work.by)
        _write(msgspec.structs.replace(ended, maintenance=work.maintenance), zone, place)


def _running(known: "list[Work]", target: "Target") -> "list[Work]":
    now = now_ms()
    lasting = [work for work in known if work.target == target and now < work.ends_at]
    running = [work for work in lasting if work.starts_at <= now]
    if not running:
        ahead = ", ".join(work.maintenance for work in lasting if not work.was_called_off) or "none"
        refuse(f"no work on {_named(target)} is running; planned: {ahead}")
    return running


def list_(
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list")] = False,
) -> None:
    """List planned work, the latest last. Reads only, also beside a running server."""
    import msgspec

    found = _works(record_of(data, config))
    if as_json:
        typer.echo(msgspec.json.encode([each._asdict() | {"was_late": each.was_late} for each in found]))
        return
    for each in found:
        typer.echo(_line(each, ZoneInfo(_zone(zone)), now_ms()))


def _line(work: "Work", zone: ZoneInfo, now: int) -> str:
    stands = "planned" if now < work.starts_at else "running" if now < work.ends_at else "over"
    if work.was_called_off:
        stands = "called off"
    late = ", declared late: excuses nothing" if work.was_late else ""
    until = "" if work.was_called_off else f" .. {local_time(work.ends_at, zone)[:-4]}"
    times = f"{local_time(work.starts_at, zone)[:-4]}{until}"
    return f"{work.maintenance}  {times}  {stands}  {_named(work.target)}  {work.reason} ({work.by}){late}"


def _named(target: "Target") -> str:
    return f"{target.of} {'/'.join(part for part in (target.site, target.subject) if part)}"


def _say(
    target: "Target",
    step: "MaintenanceStep",
    times: tuple[int, int],
    words: tuple[str, str],
    zone: str,
    data: Path,
) -> None:
    from seatwatch.maintenance_job import word

    reason, by = words
    _require_record(data)  # written into a directory of its own it would excuse nothing, and nobody would notice
    _warn_of_unknown(target, data)
    _write(word(target, step, *times, reason, by or getpass.getuser(), before=_works(data)), zone, data)


def _warn_of_unknown(target: "Target", data: Path) -> None:
    """A mistyped line, UPS or source would excuse nothing. Not refused: it may be one that is put up in this work."""
    from ledger.errors import LedgerError
    from seatwatch.maintenance_job import heard_of

    if not target.subject:
        return
    try:
        known = heard_of(target, data, load_defaults().int("incidents.maintenance_looks_back"))
    except (LedgerError, OSError) as error:
        refuse(str(error), 1)
    if target.subject not in known:
        near = get_close_matches(target.subject, sorted(known), n=_NAMES_SHOWN, cutoff=0)
        names = ", ".join(sorted(near)) + (" ..." if len(near) < len(known) else "") or "none"
        told = f"{target.site} has told of no {target.of}" if target.site else "nothing was told by a source"
        typer.echo(
            f"note: {told} {target.subject} lately, only {'of' if target.site else 'by'} {names}; "
            "work on a name that is not there excuses nothing",
            err=True,
        )


def _write(said: "MaintenanceSaid", zone: str, data: Path) -> None:
    from seatwatch.maintenance_job import say, works

    _run(say(said, data, now_ms(), load_defaults()))
    work = next(each for each in works(data) if each.maintenance == said.maintenance)
    typer.echo(_line(work, ZoneInfo(_zone(zone)), now_ms()))


def _run(work: Coroutine[Any, Any, object]) -> None:
    from collector.errors import CollectorError
    from ledger.errors import LedgerError
    from seatwatch.own_server import OwnServerError

    try:
        asyncio.run(work)
    except (OwnServerError, CollectorError, LedgerError, OSError) as error:
        refuse(str(error), 1)


def _require_record(data: Path) -> None:
    from collector.ledgers import ledger_directory
    from wire.ids import OPERATOR

    if not ledger_directory(data, OPERATOR).is_dir():
        no_record(data)


def _works(data: Path) -> "list[Work]":
    from ledger.errors import LedgerError
    from seatwatch.maintenance_job import works

    _require_record(data)
    try:
        return works(data)
    except (LedgerError, OSError) as error:
        refuse(str(error), 1)


def _target(site: str, line: str, ups: str, feed: str) -> "Target":
    from seatwatch.maintenance_job import Target
    from wire.ids import is_name
    from wire.incident import MaintenanceOf

    given = [
        (MaintenanceOf(option), text)
        for option, text in (("site", site), ("line", line), ("ups", ups), ("feed", feed))
        if text
    ]
    if len(given) != 1:
        refuse("say what is worked on: one of --site, --line, --ups, --feed")
    of, text = given[0]
    if not is_name(text):
        refuse(f"--{of} {text}: not an id")
    if of is MaintenanceOf.SITE:
        return Target(of, text, "")
    if of is MaintenanceOf.FEED:
        return Target(of, "", text)
    place, slash, subject = text.partition("/")
    if not (place and slash and subject):
        refuse(f"--{of} {text}: write it as SITE/{of.upper()}")
    return Target(of, place, subject)


def _check(target: "Target", reason: str, by: str, config: Path | None) -> None:
    from wire.limits import WORD_CHARS_MAX

    if not reason.strip():
        refuse('--reason is empty: say what is done, as --reason "new modem"')
    for option, text in (("--reason", reason), ("--by", by)):
        if not text.isprintable():
            refuse(f"{option} has line breaks or signs that no screen shows: write it on one line")
        if len(text) > WORD_CHARS_MAX:
            refuse(f"{option} has {len(text)} characters, at most {WORD_CHARS_MAX} are kept: write it shorter")
    if config is None or not target.site:
        return
    sites = sorted(site.id for site in configured(config).site)
    if target.site not in sites:
        refuse(f"--{target.of} {target.site}: no such site in {config}; it has {', '.join(sites) or 'none'}")


def _length_ms(text: str) -> int:
    found = _LENGTH.fullmatch(text.strip())
    if found is None or not int(found[1]):
        refuse(f"--for {text}: no length of time; write it as 90min or 2h")
    length = int(found[1]) * MS_PER_UNIT["min" if found[2] == "m" else found[2]]
    longest = load_defaults().ms("incidents.maintenance_longest")
    if length > longest:
        refuse(
            f"--for {text}: too long, at most {longest // MS_PER_UNIT['d']}d; declare what follows when it is due", 2
        )
    return length


def _zone(zone: str) -> str:
    return zone_named(zone or load_defaults().text("contract.time_zone"))
