"""`seatwatch definition list`: the definitions that ship with the program."""

from typing import TYPE_CHECKING, Annotated, Final, Literal
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from seatwatch.printed.teller import Teller
    from sla_engine._core.definition import Definition

EXAMPLES = """
Examples:

  seatwatch definition list

  seatwatch definition list --lang zh
"""
# Layout: of a table.
COLUMNS = 160
"""Width of the table in a file or a pipe."""
_COLUMNS: Final = (
    "list_preset",
    "definition_word",
    "list_version",
    "list_title",
    "list_source_date",
    "list_official",
    "list_hash",
)
_NOTES: Final = {"tmall-art-2022": "list_note_tmall"}
"""Where a preset gives another figure than its title promises: what is said below the table."""
_BETWEEN_LANGUAGES: Final = " / "


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("list", epilog=EXAMPLES)(list_)


def list_(
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
) -> None:
    """List the presets: name, version, title, where the rules come from and when, and their hash.

    An unofficial one was copied from a repost or an article, not from the platform itself: ask the platform before a
    contract rests on it.
    """
    from seatwatch.printed.teller import Teller
    from seatwatch.screens import console_of
    from sla_engine.definition_files import load_preset, preset_names

    console = console_of(COLUMNS)
    tell = Teller(lang, ZoneInfo("UTC"))
    console.print(_table({name: load_preset(name) for name in preset_names()}, tell, lang))
    for name, note in _NOTES.items():
        console.print(f"{name}: {tell.word(note)}")


def _table(presets: "dict[str, Definition]", tell: "Teller", lang: Literal["zh", "en"]) -> "Table":
    from rich.table import Table

    from sla_engine._core.definition import canonical, definition_hash

    table = Table(box=None)
    for column in _COLUMNS:
        table.add_column(tell.word(column), overflow="fold")
    for name, definition in presets.items():
        chinese, _, english = definition.title.partition(_BETWEEN_LANGUAGES)
        table.add_row(
            name,
            definition.name,
            str(definition.version),
            english if lang == "en" and english else chinese,
            definition.source_date,
            tell.word("list_official" if definition.official else "report_unofficial"),
            # Layout: so much of a hash is compared by eye.
            definition_hash(canonical(definition))[:12],
        )
    return table
