"""`seatwatch definition check`: whether definitions and contracts can be used, before anybody is judged by them."""

from typing import Annotated

import typer

from seatwatch.commands.definition._loading import DefinitionUnusable, load_rules

EXAMPLES = """
Examples:

  seatwatch definition check acme.toml

  seatwatch definition check acme.toml acme-contract.toml    a contract is known by its queues
"""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("check", epilog=EXAMPLES)(check)


def check(
    files: Annotated[
        list[str], typer.Argument(help="files of definitions or contracts, or names of presets", metavar="FILE...")
    ],
) -> None:
    """Name all that is wrong with each file: key, value, problem and fix. Exit 0 when all can be used, 2 when not."""
    from sla_engine._core.contract import Contract
    from sla_engine._core.definition import label_of

    unusable = 0
    for file in files:
        try:
            rules = load_rules(file)
        except DefinitionUnusable as error:
            typer.echo(str(error), err=True)
            unusable += 1
        else:
            name = f"contract {rules.name}" if isinstance(rules, Contract) else label_of(rules)
            typer.echo(f"{file}: ok. {name} {rules.title}".rstrip())
    if unusable:
        raise typer.Exit(2)
