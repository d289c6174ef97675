"""`seatwatch incident`: what happened at the sites, and what that rests on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.ending import configured, no_record, record_of, refuse
from seatwatch.instants import zone_named
from seatwatch.settings import load_defaults

if TYPE_CHECKING:
    from seatwatch.printed.incident_words import IncidentTeller
    from sla_engine.incident_log import Incident
    from wire.incident import IncidentSaid
    from wire.recorded import Recorded

EXAMPLES = """
Examples:

  seatwatch incident list --open

  seatwatch incident list --site chengdu --lang zh

  seatwatch incident show i-1a2b3c4d5e6f7081

  seatwatch incident show i-1a2b3c4d5e6f7081 --for-carrier --lang zh
"""
LangOption = Annotated[Literal["zh", "en"], typer.Option("--lang", help="language of the words")]
ZoneOption = Annotated[
    str,
    typer.Option("--zone", help="time zone of what is shown; without it the default contract's, in `show` the site's"),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="the data directory; without it the configuration's, or ./data")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="the server's configuration, which names the sites")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Incidents of sites, with their evidence.", no_args_is_help=True, epilog=EXAMPLES)
    group.command("list", epilog=EXAMPLES)(list_)
    group.command("show", epilog=EXAMPLES)(show)
    app.add_typer(group, name="incident")


def list_(
    site: Annotated[str, typer.Option("--site", help="only of this site")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="only those that last")] = False,
    lang: LangOption = "en",
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents, the latest last. Reads only, also beside a running server."""
    import msgspec

    found = [
        each
        for each in _incidents(record_of(data, config))[0].values()
        if (not site or each.newest.site == site) and (each.lasts or not only_open)
    ]
    if as_json:
        typer.echo(msgspec.json.encode([_plain(each) for each in found]))
        return
    tell = _teller(lang, zone, config)
    if not found:
        typer.echo(tell.word("incidents_none"))
    for each in found:
        said = each.newest
        stands = tell.lasted(said) or tell.word("incident_lasts")
        typer.echo(
            f"{said.incident}  {tell.at(said.started_at)[:-4]}  {stands:>10}  {tell.headline(said)}{_worse(each, tell)}"
        )


def show(
    incident: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    lang: LangOption = "en",
    zone: ZoneOption = "",
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    for_carrier: Annotated[
        bool, typer.Option("--for-carrier", help="only what the hotline of a line's carrier asks for")
    ] = False,
) -> None:
    """Show what became of an incident, and the ledger entries it rests on, in order of time.

    Exit 0 when there is one, 1 when the ledger holds none of that id.
    """
    import msgspec

    from seatwatch.printed.incident_words import timeline

    place = record_of(data, config)
    found, evidence = _incidents(place, incident)
    if incident not in found:
        refuse(f"{incident}: the ledger in {place} holds no such incident", 1)
    zone = zone or _zone_of(place, found[incident].newest)
    tell = _teller(lang, zone, config)
    if for_carrier:
        site = tell.site(found[incident].newest.site)
        typer.echo(_for_carrier(place, found, incident, site, lang, zone) or tell.word("ticket_none"))
        return
    rows = timeline(found[incident], evidence, tell)
    if as_json:
        told = [{"at": at, "entry": index, "text": text} for at, index, text in rows]
        typer.echo(msgspec.json.encode(_plain(found[incident]) | {"timeline": told}))
        return
    said = found[incident].newest
    typer.echo(f"{said.incident}  {tell.headline(said)}{_worse(found[incident], tell)}")
    typer.echo(f"{tell.word('cause')}: {tell.word(f'cause_{said.cause}')}")
    typer.echo(f"{tell.at(said.started_at)} .. {tell.at(said.ended_at)}  {tell.lasted(said)}".rstrip())
    for at, index, text in rows:
        typer.echo(f"  {tell.at(at)}  #{index:<8} {text}")


def _worse(incident: "Incident", tell: "IncidentTeller") -> str:
    """What it was at its worst, where it is or ended as something less."""
    worst, newest = incident.worst, incident.newest
    if worst.what == newest.what:
        return ""
    what = f"{tell.word(worst.word)}, {tell.word(f'severity_{worst.severity}')}"
    return f"  ({tell.word('incident_worst').format(what=what)})"


def _plain(incident: "Incident") -> dict[str, Any]:
    """The newest revision as plain values, leaves in hexadecimal."""
    import msgspec

    said = incident.newest
    plain = msgspec.structs.asdict(said)
    plain["of_ledger"] = said.of_ledger.hex()
    plain["leaves"] = [leaf.hex() for leaf in said.leaves]
    return plain


def _incidents(data: Path, incident: str = "") -> "tuple[dict[str, Incident], list[Recorded]]":
    """Every incident, and the evidence of the one that is named."""
    from collector.ledgers import ledger_directory
    from ledger.errors import LedgerError, LedgerMissing
    from ledger.reader import LedgerReader
    from sla_engine.incident_log import evidence, incidents
    from wire.ids import OPERATOR

    try:
        reader = LedgerReader.open(ledger_directory(data, OPERATOR))
        try:
            found = incidents(reader)
            return found, evidence(reader, found[incident]) if incident in found else []
        finally:
            reader.close()
    except LedgerMissing:
        no_record(data)
    except LedgerError as error:
        refuse(str(error), 1)


def _for_carrier(
    data: Path, incidents: "dict[str, Incident]", which: str, site: str, lang: Literal["zh", "en"], zone: str
) -> str:
    """What the carriers of the lines of incident `which` are to be told; "" without a faulty line."""
    from collector.ledgers import ledger_directory
    from ledger.errors import LedgerError
    from ledger.reader import LedgerReader
    from seatwatch.printed.carrier import carrier_text
    from seatwatch.site_roster import carrier_line_ids
    from sla_engine.line_log import line_readings
    from wire.ids import OPERATOR
    from wire.incident import Cause, IncidentSaid

    incident = incidents[which]
    said = incident.newest
    power = [
        each.newest
        for each in incidents.values()
        if each.newest.cause is Cause.SITE_POWER and each.newest.site == said.site
    ]
    ever = [entry.body for entry in incident.revisions if isinstance(entry.body, IncidentSaid)]
    try:
        reader = LedgerReader.open(ledger_directory(data, OPERATOR))
        try:
            last = reader.size() - 1 if incident.lasts else said.last_index
            first = min(each.first_index for each in ever)
            looked_back = load_defaults().int("incidents.line_looked_back")
            readings = line_readings(reader, said.site, first, last, looked_back)
            numbers = carrier_line_ids(data, said.site, said.started_at)
        finally:
            reader.close()
    except LedgerError as error:
        refuse(str(error), 1)
    local = ZoneInfo(zone_named(zone or load_defaults().text("contract.time_zone")))
    named = {each.subject for each in ever}
    return carrier_text(said, named, readings, lang, local, site=site, power=power, numbers=numbers)


def _zone_of(data: Path, said: "IncidentSaid") -> str:
    """By the clock of the site where it is: whoever is called about it, a carrier too, lives by that."""
    from ledger.errors import LedgerError
    from seatwatch.site_roster import zone_of

    try:
        return zone_of(data, said.site, said.started_at) if said.site else ""
    except LedgerError as error:
        refuse(str(error), 1)


def _teller(lang: Literal["zh", "en"], zone: str, config: Path | None) -> "IncidentTeller":
    """A configuration says what its sites are called."""
    from seatwatch.printed.incident_words import IncidentTeller

    names = {} if config is None else configured(config).names().sites
    return IncidentTeller(lang, ZoneInfo(zone_named(zone or load_defaults().text("contract.time_zone"))), names)
