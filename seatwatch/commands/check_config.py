"""`seatwatch check-config`: says what is wrong with a configuration before anything is started with it."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.config import Config, ConfigError, Problem, read_config
from seatwatch.config_notes import notes
from seatwatch.refusals import phrase, speak

EXAMPLES = """
Examples:

  seatwatch check-config seatwatch.toml

  seatwatch check-config seatwatch.toml --lang zh
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-config", epilog=EXAMPLES)(check_config)


def check_config(
    file: Annotated[Path, typer.Argument(help="the server's configuration file")],
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
) -> None:
    """Name every key that is wrong, the problem and the fix. Exit 0 when it can be used, 2 when not."""
    from seatwatch.clock import now_ms
    from seatwatch.duty.never_due import never_due
    from seatwatch.printed.teller import Teller
    from seatwatch.server.rules import check_definitions

    speak(lang)
    tell = Teller(lang, ZoneInfo("UTC"))
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
            where, said = f"{file}: {problem.key}", (phrase(problem.problem), phrase(problem.fix))
            typer.echo(tell.filled("problem_told", key=where, problem=said[0], fix=said[1]), err=True)
        raise typer.Exit(2) from None
    found = tell.filled(
        "check_counted",
        clients=len(config.client),
        queues=sum(len(client.queue) for client in config.client),
        sources=len(config.source),
        sites=len(config.site),
        readers=len(config.reader),
    )
    typer.echo(tell.filled("check_passed", file=str(file), found=found))
    never_open = never_due(config, file.parent, now_ms())
    for note in notes(config, str(file), tell.filled, never_open):
        typer.echo(note)
