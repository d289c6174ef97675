"""`seatwatch definition list`: the definitions that ship with the program."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from sla_engine._core.definition import Definition

EXAMPLES = """
Examples:

  seatwatch definition list
"""
COLUMNS = 160
"""Width of the table in a file or a pipe."""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("list", epilog=EXAMPLES)(list_)


def list_() -> None:
    """List the presets: name, version, title, where the rules come from and when, and their hash.

    An unofficial one was copied from a repost or an article, not from the platform itself: ask the platform before a
    contract rests on it.
    """
    from seatwatch.screens import console_of
    from sla_engine.definition_files import load_preset, preset_names

    console = console_of(COLUMNS)
    console.print(_table({name: load_preset(name) for name in preset_names()}))


def _table(presets: "dict[str, Definition]") -> "Table":
    from rich.table import Table

    from sla_engine._core.definition import canonical, definition_hash

    table = Table(box=None)
    for column in ("preset", "definition", "version", "title", "source date", "official", "hash"):
        table.add_column(column, overflow="fold")
    for name, definition in presets.items():
        table.add_row(
            name,
            definition.name,
            str(definition.version),
            definition.title,
            definition.source_date,
            "official" if definition.official else "unofficial",
            definition_hash(canonical(definition))[:12],
        )
    return table
