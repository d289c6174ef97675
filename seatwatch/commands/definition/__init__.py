"""`seatwatch definition`: the rules figures are made by. One module per verb."""

from importlib import import_module
from typing import Final

import typer

# In the order of the help page. A module of this name in this package has `register(group)`.
VERBS: Final = ("list_", "show", "check", "diff")

HELP: Final = "The rules that figures are made by: list, show and check them, and see what another one would change."


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    for verb in VERBS:
        import_module(f"seatwatch.commands.definition.{verb}").register(group)
    app.add_typer(group, name="definition")
