"""`seatwatch notify`: try a channel, or run the bridge apart from the server."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
import typer
from aiohttp import web

from dashboards.alerting._core.message import Message
from dashboards.alerting.channels import Channels
from dashboards.alerting.vendors import VENDORS
from seatwatch.clock import now_ms
from seatwatch.config import Config
from seatwatch.ending import configured
from seatwatch.logs import configure_logs
from seatwatch.server import on_call
from seatwatch.server.bridge_alone import application
from seatwatch.settings import load_defaults

EXAMPLES = """
Examples:

  seatwatch notify test --config seatwatch.toml                every channel

  seatwatch notify test floor-dingtalk --config seatwatch.toml

  seatwatch notify bridge --config seatwatch.toml --port 8789  when Alertmanager shall not depend on the server

docs/operate/on-call.md says what each channel needs.
"""
ConfigFile = Annotated[Path, typer.Option("--config", help="the server's configuration file")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Messages to people on duty.", no_args_is_help=True)
    group.command("test", epilog=EXAMPLES)(send_test)
    group.command("bridge", epilog=EXAMPLES)(bridge)
    app.add_typer(group, name="notify")


def send_test(
    config: ConfigFile,
    channel: Annotated[str | None, typer.Argument(help="which one; without it, all of them")] = None,
) -> None:
    """Send a test message and say what each channel answered. Exit 0 when every one took it, 1 when not."""
    settings = configured(config)
    names = [section.id for section in settings.channel if channel in {None, section.id}]
    if not settings.channel:
        typer.echo(
            f"{config}: nobody can be told anything: no [[channel]] yet; docs/operate/on-call.md shows one", err=True
        )
        raise typer.Exit(2)
    if not names:
        known = ", ".join(section.id for section in settings.channel)
        typer.echo(f"{config}: no channel {channel!r}; use one of {known}", err=True)
        raise typer.Exit(2)
    refusals = asyncio.run(_send_tests(settings, config.parent, names))
    kinds = {section.id: section.kind for section in settings.channel}
    for name, refusal in refusals.items():
        is_known = kinds[name] not in VENDORS or VENDORS[kinds[name]].is_verified
        doubt = "" if is_known else f" ({kinds[name]} is unverified: look whether it arrived, and how it reads)"
        typer.echo(f"{name}: {refusal or 'taken'}{doubt}", err=bool(refusal))
    raise typer.Exit(1 if any(refusals.values()) else 0)


def bridge(
    config: ConfigFile,
    listen: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    # Format: the port of our own that a command leaves out.
    port: Annotated[int, typer.Option(help="the port to listen on")] = 8789,
    data: Annotated[Path | None, typer.Option(help="the data directory whose keys are used")] = None,
) -> None:
    """Run the notification bridge by itself until Ctrl-C: Alertmanager's webhooks in, messages out."""
    configure_logs()
    settings = configured(config)
    directory = settings.data_dir(config.parent) if data is None else data
    defaults = load_defaults()
    app = application(settings, config.parent, directory, defaults)
    idle_s = defaults.seconds("board.idle")
    try:
        web.run_app(app, host=listen, port=port, access_log=None, print=typer.echo, keepalive_timeout=idle_s)
    except OSError as error:
        typer.echo(f"{listen}:{port}: {error.strerror}; give another --listen or --port", err=True)
        raise typer.Exit(1) from None


async def _send_tests(config: Config, base: Path, names: list[str]) -> dict[str, str]:
    ways = on_call.channels(config.channel, base, load_defaults(), now_ms)
    async with aiohttp.ClientSession() as session:
        return {name: await _send_test(session, ways, name) for name in names}


async def _send_test(session: aiohttp.ClientSession, ways: Channels, name: str) -> str:
    """Why it was not taken; "" = it was. Where messages open incidents, this one is closed again."""
    channel = ways.by_id[name]
    message = _test_message(channel.language)
    refusal = await ways.send(session, name, message)
    keeps_incidents = channel.kind in VENDORS and VENDORS[channel.kind].is_by_trouble
    if refusal or not keeps_incidents:
        return refusal
    return await ways.send(session, name, msgspec.structs.replace(message, is_resolved=True))


def _test_message(language: str) -> Message:
    texts = on_call.annotation_words()["zh" if language.startswith("zh") else "en"]
    return Message(
        title=f"[{texts['notify_test']}] Seatwatch",
        lines=[socket.gethostname()],
        is_resolved=False,
        severity="",
        key="seatwatch-notify-test",
        link="",
        link_text="",
    )
