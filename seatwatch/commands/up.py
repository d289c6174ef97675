"""`seatwatch up`: collector, engine, board and web door in one process."""

import asyncio
import faulthandler
import resource
import signal
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import structlog
import typer

from ledger.errors import LedgerError
from seatwatch.addresses import PortBusy
from seatwatch.config import Config, ConfigError, Problem, read_config
from seatwatch.config_notes import notes
from seatwatch.logs import configure_logs
from seatwatch.printed.teller import Teller
from seatwatch.server.process import EXIT_COMMIT_FAILED, Part, Server
from seatwatch.settings import load_defaults
from sla_engine.runners.tail import FeedEnded

EXAMPLES = """
Examples:

  seatwatch up --config /etc/seatwatch/seatwatch.toml

  seatwatch up --data ./data          embedded broker, nobody configured yet

  seatwatch up --config FILE --only collector      and, elsewhere, --only engine

docs/operate/run.md says how to start, stop, back up and restore it, and what each log line means.
"""


SAID_IN_WORDS: Final = (ConfigError, LedgerError, FeedEnded, sqlite3.Error, OSError)
log = structlog.get_logger()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up", epilog=EXAMPLES)(up)


def up(
    config: Annotated[Path | None, typer.Option(help="the configuration file; without it, defaults")] = None,
    data: Annotated[Path | None, typer.Option(help="where the record is kept, over what the file says")] = None,
    part: Annotated[Part, typer.Option("--only", help="one half of it, with Redis between the two")] = Part.ALL,
    *,
    end_with_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the server until Ctrl-C or SIGTERM. Exit 0 stopped, 1 failed, 2 refused its configuration."""
    faulthandler.enable()  # a crash of the interpreter itself leaves its stacks in the log, not just an exit code
    configure_logs()
    base = Path.cwd() if config is None else config.parent
    try:
        settings = Config() if config is None else read_config(config)
        directory = data.resolve() if data is not None else settings.data_dir(base)
        directory.mkdir(parents=True, exist_ok=True)
        _ask_for_open_files(load_defaults().int("board.open_files"))
        if config is None:
            typer.echo("no --config: nobody is watched yet; docs/operate/configure.md says what to write")
        for note in notes(settings, str(config), Teller("en", ZoneInfo("UTC")).filled):
            typer.echo(note)
        asyncio.run(_serve(settings, base, directory, part, end_with_stdin=end_with_stdin))
    except (ConfigError, LedgerError, OSError, BaseExceptionGroup) as error:
        raise typer.Exit(_explain(_cause(error), str(config or "(defaults)"))) from None


def _ask_for_open_files(wanted: int) -> None:
    """A plain shell allows fewer than there may be screens; where the system allows no more, fewer screens come in."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    within = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if allowed != resource.RLIM_INFINITY and allowed < within:
        resource.setrlimit(resource.RLIMIT_NOFILE, (within, most))


def _cause(error: BaseException) -> BaseException:
    """What really went wrong: a task group wraps what ended it. Of several that can be said in words, the first."""
    while isinstance(error, BaseExceptionGroup) and (
        len(error.exceptions) == 1 or error.split(SAID_IN_WORDS)[1] is None
    ):
        error = error.exceptions[0]
    return error


def _explain(error: BaseException, where: str) -> int:
    """Say it in an operator's words; returns the exit code. Raises what nobody can cure by configuring."""
    match error:
        case ConfigError():
            for problem in error.problems:
                typer.echo(f"{where}: {problem}", err=True)
            return 2
        case LedgerError():
            typer.echo(f"the record cannot be opened: {error}", err=True)
            return 1
        case FeedEnded() | sqlite3.Error():  # of facts, mostly: a commit to the record that fails has ended us already
            log.critical("server.failed", error=str(error))
            return EXIT_COMMIT_FAILED
        case PortBusy():
            fix = "free it (`ss -ltnp` names who has it), or write another one and tell whoever is to find it there"
            typer.echo(f"{where}: {Problem(error.key, str(error.strerror), fix)}", err=True)
            return 1
        case OSError():
            problem = Problem("server.data", str(error), "name a directory this user may write, or free the address")
            typer.echo(f"{where}: {problem}", err=True)
            return 1
        case _:
            raise error


async def _serve(config: Config, base: Path, data: Path, part: Part, *, end_with_stdin: bool) -> None:

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if end_with_stdin:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # readable without data: whoever started us is gone
    server = Server(config, base, data, part=part, defaults=load_defaults(), say=typer.echo)
    with suppress(asyncio.CancelledError):
        await server.run(stop)
