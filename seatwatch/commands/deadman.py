"""`seatwatch deadman`: on another machine, pages when the alert chain falls silent."""

import asyncio
import signal
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from aiohttp import web

from dashboards.alerting.deadman import Deadman, DeadmanSettings
from dashboards.runbooks.server import first_steps
from seatwatch.addresses import LOOPBACK_NAMES, url_of
from seatwatch.clock import now_ms
from seatwatch.config import token_digest
from seatwatch.enrolment_section import Port
from seatwatch.logs import configure_logs
from seatwatch.on_call_config import AlertingSection, ChannelSection, on_call_problems, secret_problems
from seatwatch.sections import read_section
from seatwatch.server import on_call
from seatwatch.server.web_runner import web_runner
from seatwatch.settings import load_defaults
from wire.toml import read_toml

WATCHDOG = "watchdog"
"""Its page among the runbooks."""
EXAMPLES = """
Examples:

  seatwatch deadman --config deadman.toml

docs/operate/on-call.md has a configuration to start from. Alertmanager sends to http://THIS-MACHINE:8788/watchdog.
"""


class DeadmanConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. call: channels that are told, all of them. token_file: of what the watchdog has to bear."""

    call: list[str] = []
    listen: str = "127.0.0.1"
    # Format: the port of our own that a configuration leaves out.
    port: Port = 8788
    token_file: str | None = None
    channel: list[ChannelSection] = []


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deadman", epilog=EXAMPLES)(deadman)


def deadman(config: Annotated[Path, typer.Option(help="its own configuration file")]) -> None:
    """Listen for the watchdog alert until Ctrl-C, and call people when it stops. Exit 2: a wrong configuration."""
    settings = _read(config)
    configure_logs()
    ways = on_call.channels(settings.channel, config.parent, load_defaults(), now_ms)
    words = on_call.annotation_words()
    watch = Deadman(
        ways,
        settings.call,
        texts={"zh-CN": words["zh"], "en": words["en"]},
        steps={tag: first_steps(tag)[WATCHDOG] for tag in ("zh-CN", "en")},
        token=None if settings.token_file is None else token_digest(config.parent / settings.token_file),
        settings=load_defaults().fill(DeadmanSettings, "paging"),
        clock_ms=now_ms,
    )
    try:
        asyncio.run(_serve(watch, settings))
    except OSError as error:
        typer.echo(f"{config}: {settings.listen}:{settings.port}: {error.strerror}; write another port", err=True)
        raise typer.Exit(1) from None


async def _serve(watch: Deadman, settings: DeadmanConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    app = web.Application()
    app.add_routes(watch.routes())
    runner = web_runner(app, load_defaults())
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.listen, settings.port).start()
        typer.echo(f"waiting for the watchdog on {url_of(settings.listen, settings.port)}/watchdog")
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch.run(), name="deadman")
            await stop.wait()
            watching.cancel()
    finally:
        await runner.cleanup()


def _read(file: Path) -> DeadmanConfig:
    problems: list[str] = []
    try:
        tables = read_toml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        typer.echo(f"{file}: cannot be read: {error}; give an existing TOML file", err=True)
        raise typer.Exit(2) from None
    config = read_section(DeadmanConfig, tables, "", lambda *wrong: problems.append("{}: {}; {}".format(*wrong)))
    found = on_call_problems(AlertingSection(tickets=config.call), [], config.channel, file.parent)
    problems += [f"{key.replace('alerting.tickets', 'call')}: {what}; {fix}" for key, what, fix in found]
    if not config.call:
        problems.append("call: nobody is called; name at least one channel")
    problems += _token_problems(config, file.parent)
    if problems:
        for problem in problems:
            typer.echo(f"{file}: {problem}", err=True)
        raise typer.Exit(2)
    return config


def _token_problems(config: DeadmanConfig, base: Path) -> list[str]:
    new = "`seatwatch token new FILE`; name the same token in `deadman_token_file` of the server's [alerting]"
    if config.token_file is not None:
        found = secret_problems("token_file", config.token_file, base)
        return [f"{key}: {what}; {fix}: {new}" for key, what, fix in found]
    if config.listen in LOOPBACK_NAMES:
        return []
    return [f"token_file: is needed where others reach the switch: any of them could keep it calm; {new}"]
