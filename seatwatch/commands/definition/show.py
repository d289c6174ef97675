"""`seatwatch definition show`: every parameter of a definition, as the text of a file."""

from typing import Annotated

import typer

from seatwatch.commands.definition._loading import load_or_exit

EXAMPLES = """
Examples:

  seatwatch definition show contract-10s

  seatwatch definition show contract-10s > acme.toml   a file of your own to start from
"""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("show", epilog=EXAMPLES)(show)


def show(definition: Annotated[str, typer.Argument(help="a preset's name or a file", metavar="NAME|FILE")]) -> None:
    """Print every parameter, whatever it is based on, with the edge case it settles. Exit 2 when it cannot be used."""
    from sla_engine._core.definition import canonical, definition_hash
    from sla_engine.definition_text import definition_text

    shown = load_or_exit(definition)
    standing = "official" if shown.official else "unofficial: not from the platform's own page"
    typer.echo(f"# {shown.name} version {shown.version}, {standing}")
    typer.echo(f"# hash {definition_hash(canonical(shown))}")
    typer.echo("# docs/reference/definitions.md explains every word")
    typer.echo(definition_text(shown), nl=False)
