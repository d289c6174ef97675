"""`seatwatch version`."""

import typer

from seatwatch import __version__

EXAMPLES = """
Examples:

  seatwatch version
"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command(epilog=EXAMPLES)
    def version() -> None:
        """Print the version."""
        typer.echo(f"seatwatch {__version__}")
