"""`seatwatch check-config`: says what is wrong with a configuration before anything is started with it."""

from pathlib import Path
from typing import Annotated

import typer

from seatwatch.config import Config, ConfigError, Problem, read_config

EXAMPLES = """
Examples:

  seatwatch check-config seatwatch.toml
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-config", epilog=EXAMPLES)(check_config)


def check_config(file: Annotated[Path, typer.Argument(help="the server's configuration file")]) -> None:
    """Name every key that is wrong, the problem and the fix. Exit 0 when it can be used, 2 when not."""
    from seatwatch.server.rules import check_definitions

    problems: list[Problem] = []
    config: Config | None = None
    try:
        config = read_config(file)
    except ConfigError as error:
        problems += error.problems
        config = error.rest
    try:
        check_definitions(config or Config(), file.parent)
    except ConfigError as error:
        problems += error.problems
    if config is None or problems:
        for problem in problems:
            typer.echo(f"{file}: {problem}", err=True)
        raise typer.Exit(2) from None
    queues = sum(len(client.queue) for client in config.client)
    typer.echo(
        f"{file}: ok. {len(config.client)} clients, {queues} queues, {len(config.source)} sources, "
        f"{len(config.site)} sites, {len(config.reader)} readers"
    )
    if config.duty and not config.alerting.public_url:
        typer.echo(
            f"{file}: note: alerting.public_url is not set: messages carry no link to acknowledge and none to a "
            'runbook. Write where a telephone reaches this server, such as "https://hub.example.com"'
        )
