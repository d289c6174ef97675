"""`seatwatch message`: the pre-opening check, the daily report and the shift handover, seen or sent at once."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collector.ledgers import ledger_directory
from seatwatch.ending import configured, refuse
from seatwatch.instants import instant_named
from seatwatch.ledger_places import require_directory
from seatwatch.settings import load_defaults
from wire.ids import is_client

if TYPE_CHECKING:
    from dashboards.alerting._core.message import Message
    from seatwatch.config import Config

EXAMPLES = """
Examples:

  seatwatch message preview pre-opening --site beijing --data data

  seatwatch message preview daily --client acme --at "2026-11-22 04:00" --lang zh --config seatwatch.toml

  seatwatch message preview handover --client acme --since "2026-11-21 08:00" --at "2026-11-21 16:00"

  seatwatch message send daily --client acme --channel floor-dingtalk --config seatwatch.toml

docs/operate/messages.md says what each one tells.
"""
Kind = Literal["pre-opening", "daily", "handover"]
KindNamed = Annotated[Kind, typer.Argument(help="which message")]
OfClient = Annotated[str, typer.Option("--client", help="about this client, and the sites its people sit at")]
OfSite = Annotated[str, typer.Option("--site", help="about this site; with a client, about this one of its sites")]
At = Annotated[str, typer.Option("--at", help="as of this instant; without it now, or the last day's end", metavar="T")]
Since = Annotated[str, typer.Option("--since", help="what ended from here on is told too", metavar="T")]
Lang = Annotated[Literal["zh", "en"], typer.Option(help="language of the message")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Messages to sites and clients: before opening, daily, at a shift change.")
    group.command("preview", epilog=EXAMPLES)(preview)
    group.command("send", epilog=EXAMPLES)(send)
    app.add_typer(group, name="message")


def preview(
    kind: KindNamed,
    client: OfClient = "",
    site: OfSite = "",
    at: At = "",
    since: Since = "",
    lang: Lang = "en",
    config: Annotated[Path | None, typer.Option(help="the server's configuration: names and public address")] = None,
    data: Annotated[
        Path | None, typer.Option(help="the data directory, else the configuration's", readable=False)
    ] = None,
) -> None:
    """Print a message as it would be sent. Reads only, also beside a running server. Exit 0; 1 unreadable, 2 wrong."""
    settings = _config(config)
    base = Path() if config is None else config.parent
    message = _made(kind, client, site, at, since, lang, settings, settings.data_dir(base) if data is None else data)
    typer.echo(message.title)
    for line in message.lines:
        typer.echo(f"  {line}")
    if message.link:
        typer.echo(f"  {message.link_text}: {message.link}")


def send(
    kind: KindNamed,
    config: Annotated[Path, typer.Option(help="the server's configuration")],
    channel: Annotated[list[str], typer.Option("--channel", help="over this channel; may be repeated")],
    client: OfClient = "",
    site: OfSite = "",
    at: At = "",
    since: Since = "",
    data: Annotated[
        Path | None, typer.Option(help="the data directory, else the configuration's", readable=False)
    ] = None,
) -> None:
    """Send a message now, each channel in its language. What is due by itself stays due. Exit 0 when all took it."""
    settings = _config(config)
    languages = {each.id: each.language for each in settings.channel}
    for name in channel:
        if name not in languages:
            refuse(f"{config}: no channel {name!r}; use one of {', '.join(languages) or '(none yet)'}")
    directory = settings.data_dir(config.parent) if data is None else data
    messages = {}
    for name in channel:
        lang: Literal["zh", "en"] = "zh" if languages[name].startswith("zh") else "en"
        messages[name] = _made(kind, client, site, at, since, lang, settings, directory)
    refusals = asyncio.run(_sent(settings, config.parent, messages))
    for name, refusal in refusals.items():
        typer.echo(f"{name}: {refusal or 'taken'}", err=bool(refusal))
    raise typer.Exit(1 if any(refusals.values()) else 0)


async def _sent(config: "Config", base: Path, messages: "dict[str, Message]") -> dict[str, str]:
    import aiohttp

    from seatwatch.clock import now_ms
    from seatwatch.server import on_call

    ways = on_call.channels(config.channel, base, load_defaults(), now_ms)
    async with aiohttp.ClientSession() as session:
        return {name: await ways.send(session, name, message) for name, message in messages.items()}


def _made(
    kind: Kind, client: str, site: str, at: str, since: str, lang: Literal["zh", "en"], config: "Config", data: Path
) -> "Message":
    from ledger.errors import LedgerError
    from seatwatch.clock import now_ms
    from seatwatch.duty.facts import About, duty_facts
    from seatwatch.duty.messages import KINDS, duty_message
    from seatwatch.duty.times import duty_times

    _refuse_unknown(client, site, data)
    about = About(client, site)
    try:
        times = duty_times(data, client, site, now_ms())
        if at:
            instant = instant_named("--at", at, times.zone)
        else:
            instant = times.day_start(now_ms()) if kind == "daily" else now_ms()
        begins = instant_named("--since", since, times.zone) if since else None
        facts = duty_facts(data, KINDS[kind], about, instant, since=begins)
    except LedgerError as error:
        refuse(f"{data}: {error}", 1)
    public_url = config.alerting.public_url
    return duty_message(facts, lang, times.zone, names=config.names(), public_url=public_url, defaults=load_defaults())


def _refuse_unknown(client: str, site: str, data: Path) -> None:
    if not (client or site):
        refuse("whom is it about? give --client, --site or both")
    require_directory(data)
    if client and not (is_client(client) and ledger_directory(data, client).is_dir()):
        refuse(f"--client {client}: no such client in {data}")


def _config(file: Path | None) -> "Config":
    from seatwatch.config import Config

    return Config() if file is None else configured(file)
