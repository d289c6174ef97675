"""`seatwatch definition check`: whether definition files can be used, before anybody is judged by them."""

from typing import Annotated

import typer

from seatwatch.commands.definition._loading import DefinitionUnusable, load

EXAMPLES = """
Examples:

  seatwatch definition check acme.toml
"""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("check", epilog=EXAMPLES)(check)


def check(
    files: Annotated[list[str], typer.Argument(help="definition files, or names of presets", metavar="FILE...")],
) -> None:
    """Name the key, the problem and the fix of each file that cannot be used. Exit 0 when all can be, 2 when not."""
    from sla_engine._core.definition import label_of

    unusable = 0
    for file in files:
        try:
            definition = load(file)
        except DefinitionUnusable as error:
            typer.echo(str(error), err=True)
            unusable += 1
        else:
            typer.echo(f"{file}: ok. {label_of(definition)} {definition.title}")
    if unusable:
        raise typer.Exit(2)
