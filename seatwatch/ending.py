"""How a command ends that cannot do what it was asked to: a sentence on standard error, and an exit code."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from seatwatch.refusals import say

if TYPE_CHECKING:
    from seatwatch.config import Config, ConfigError


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
