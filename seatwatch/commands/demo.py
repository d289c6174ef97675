"""`seatwatch demo`: a contact center to watch, from one command."""

import asyncio
import json
import logging
import os
import re
import signal
from functools import partial
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.config import SERVER_PORT
from seatwatch.demo.run import CannotListen, Demo, DemoOptions
from seatwatch.demo.telling import ending
from seatwatch.enrolment_section import HIGHEST_PORT
from seatwatch.glossary import language_of
from seatwatch.printed.teller import Teller
from seatwatch.settings import load_defaults

EXAMPLES = """
Examples:

  seatwatch demo                        until Ctrl-C

  seatwatch demo --for 60s --seed 7     one minute, the same customers every time

  seatwatch demo --for 60s --json       one JSON object at the end

  seatwatch demo --listen 0.0.0.0       to watch it from a TV or a phone

  seatwatch demo --lang zh              told in Chinese
"""
_LENGTH = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|)$")
_DEFAULTS = load_defaults("demo")
# Format: units of a length of time.
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=EXAMPLES)(demo)


def demo(
    length: Annotated[str | None, typer.Option("--for", help="how long, such as 60s or 5m")] = None,
    seed: Annotated[int, typer.Option(help="the same seed, the same customers")] = 1,
    sites: Annotated[int, typer.Option(min=1, max=_DEFAULTS.int("demo.sites_max"), help="buildings")] = (
        _DEFAULTS.int("demo.sites")
    ),
    seats: Annotated[int, typer.Option(min=1, max=_DEFAULTS.int("demo.seats_max"), help="seats in each building")] = (
        _DEFAULTS.int("demo.seats")
    ),
    listen: Annotated[str, typer.Option(help="address of the wallboard; 0.0.0.0 = reachable from your network")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int, typer.Option(min=0, max=HIGHEST_PORT, help="port of the wallboard; replaced when it is busy")
    ] = SERVER_PORT,
    lang: Annotated[
        Literal["zh", "en"] | None,
        typer.Option(help="language of what is told; default: the locale's", show_default=False),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="end with one JSON object on standard output")] = False,
) -> None:
    """Run a server and a simulated floor that talks to it: a surge, a cut line, a mains loss, and the honest count.

    Exit 0 when nothing was lost or stored twice, 1 otherwise.
    """
    options = DemoOptions(
        for_s=None if length is None else _seconds(length),
        seed=seed,
        sites=sites,
        seats=seats,
        listen=listen,
        port=port,
    )
    tell = Teller(lang or language_of(os.environ), ZoneInfo("UTC"))
    try:
        summary = asyncio.run(_run(Demo(options, load_defaults(), tell=tell, say=partial(typer.echo, err=as_json))))
    except CannotListen as refused:
        raise typer.BadParameter(str(refused), param_hint="--listen") from None
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo("\n".join(["", *ending(summary, tell)]))
    if summary["lost"] or summary["duplicates"] or summary["durable"] < summary["sent"]:
        raise typer.Exit(1)


async def _run(demo_run: Demo) -> dict[str, Any]:
    logging.getLogger().addHandler(logging.NullHandler())  # a cut line is said by the script, not by thirty probes
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, demo_run.stop)
    return await demo_run.run()


def _seconds(text: str) -> float:
    found = _LENGTH.match(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no length of time; write 60s, 5m or 1h", param_hint="--for")
    return float(found[1]) * _SECONDS[found[2]]
