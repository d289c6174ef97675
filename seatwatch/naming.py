"""What commands that print tables are told of the record: where it is, and what people call things in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwatch.ending import configured

if TYPE_CHECKING:
    from dashboards.wallboard._core.names import Names

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="the data directory; without it the configuration's, or ./data", readable=False),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="the server's configuration, for names of queues, shops, teams, sites"),
]


def record_and_names(data: Path | None, config: Path | None, language: str = "") -> "tuple[Path, Names]":
    """The data directory and the names, those for readers of `language` alone where one is given.

    Ends with 2 where the configuration cannot be used.
    """
    from dashboards.wallboard._core.names import Names  # noqa: PLC0415 - many commands go without

    if config is None:
        return data or Path("data"), Names()
    found = configured(config)
    names = found.names()
    return data or found.data_dir(config.parent), names.told_in(language) if language else names
