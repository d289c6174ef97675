"""Where tables for a person are printed."""

from rich.console import Console


def console_of(columns: int) -> Console:
    """Standard output: as wide as its terminal, `columns` in a file or a pipe, and nothing coloured but by us."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=columns, highlight=False)
