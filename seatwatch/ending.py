"""How a command ends that cannot do what it was asked to: a sentence on standard error, and an exit code."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from seatwatch.refusals import say

if TYPE_CHECKING:
    from seatwatch.config import Config, ConfigError


# Format: the exit code of whoever asked wrongly.
def refuse(message: str, code: int = 2) -> NoReturn:
    """End with this sentence, in the language spoken. code: 2 = asked for wrongly, 1 = it could not be done."""
    say(message)
    raise typer.Exit(code)


def refuse_file(file: Path, error: "ConfigError") -> NoReturn:
    """End with 2 and every problem of a configuration."""
    refuse("\n".join(f"{file}: {problem}" for problem in error.problems))


def configured(file: Path) -> "Config":
    """The server's configuration in `file`. Ends with 2 and every problem where it cannot be used."""
    from seatwatch.config import ConfigError, read_config  # noqa: PLC0415 - many commands go without

    try:
        return read_config(file)
    except ConfigError as error:
        refuse_file(file, error)


def record_of(data: Path | None, config: Path | None) -> Path:
    """The data directory that is named, by itself or by the server's configuration; else ./data."""
    if data is not None:
        return data
    return Path("data") if config is None else configured(config).data_dir(config.parent)


def no_record(data: Path) -> NoReturn:
    """End with 2: a hub keeps no record there."""
    refuse(f"{data}: no hub's record is there; name it with --data, or the server's --config")
