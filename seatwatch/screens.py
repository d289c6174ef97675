"""Where tables for a person are printed."""

from rich.console import Console


def console_of(columns: int) -> Console:
    """Standard output: as wide as its terminal, `columns` in a file or a pipe, and nothing coloured but by us.

    Text is shown as it is: what people call their teams and queues may hold brackets.
    """
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(width=columns, highlight=False, markup=False)
