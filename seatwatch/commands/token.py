"""`seatwatch token`: draws a bearer token for a source or a reader."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  seatwatch token new tokens/acme-chat.token
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    tokens = typer.Typer(help="Bearer tokens of sources and readers.", no_args_is_help=True)
    tokens.command("new", epilog=EXAMPLES)(new)
    tokens.callback()(_only_groups)
    app.add_typer(tokens, name="token")


def _only_groups() -> None:
    """Bearer tokens of sources and readers."""


def new(file: Annotated[Path, typer.Argument(help="where to write it; refused when the file is there")]) -> None:
    """Write a fresh 256-bit token to FILE, readable by its owner only. Name FILE as token_file in the configuration."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        typer.echo(f"{file}: is there already; remove it first if its token is to end", err=True)
        raise typer.Exit(2) from None
    file.write_text(secrets.token_urlsafe() + "\n", encoding="utf-8")
    typer.echo(f"{file}: token written; give its content to the sender and the file's name to token_file")
