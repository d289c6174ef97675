"""`seatwatch authority`: the hub's own certificate authority."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  seatwatch authority init --data /var/lib/seatwatch --name hub.example.com

  seatwatch authority show --data /var/lib/seatwatch
"""

Data = Annotated[Path, typer.Option("--data", help="the data directory")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    authority = typer.Typer(help="The hub's own authority, which signs the identities of probes.", no_args_is_help=True)
    authority.command("init", epilog=EXAMPLES)(init)
    authority.command("show", epilog=EXAMPLES)(show)
    authority.callback()(_only_groups)
    app.add_typer(authority, name="authority")


def _only_groups() -> None:
    """The hub's own authority, which signs the identities of probes."""


def init(
    data: Data = Path("data"),
    name: Annotated[str, typer.Option(help="this hub, in the authority's certificate")] = "seatwatch",
) -> None:
    """Make the authority in DATA/authority, once. Keep a copy of that folder where you keep the backups.

    Exit 0 when it is made, 1 when there is one already or the folder cannot be written.
    """
    from collector.enrolment.authority import Authority, Span
    from collector.enrolment.errors import EnrolmentError
    from seatwatch.clock import now_ms
    from seatwatch.enrolment_job import FOLDER
    from seatwatch.settings import load_defaults

    defaults, now = load_defaults(), now_ms()
    span = Span(now - defaults.ms("enrolment.backdate"), now + defaults.ms("enrolment.authority"))
    try:
        authority = Authority.create(data / FOLDER, name, span)
    except (EnrolmentError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _say(authority.fingerprint, authority.not_after)


def show(data: Data = Path("data")) -> None:
    """Print the authority's fingerprint, which goes beside every code. Exit 1 when there is none."""
    from collector.enrolment.authority import Authority
    from collector.enrolment.errors import EnrolmentError
    from seatwatch.enrolment_job import FOLDER

    try:
        authority = Authority.open(data / FOLDER)
    except EnrolmentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _say(authority.fingerprint, authority.not_after)


def _say(fingerprint: str, not_after: int) -> None:
    until = datetime.fromtimestamp(not_after / 1000, tz=UTC)
    typer.echo(f"fingerprint {fingerprint}\nvalid until {until:%Y-%m-%d}")
