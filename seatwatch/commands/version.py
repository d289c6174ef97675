"""`seatwatch version`."""

import typer

from seatwatch import __version__


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def version() -> None:
        """Print the version."""
        typer.echo(f"seatwatch {__version__}")
