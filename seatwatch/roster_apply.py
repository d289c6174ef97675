"""`seatwatch roster apply`: the broker's configuration and access rules, from configuration and enrolment."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

APPLY_EXAMPLES = """
Examples:

  seatwatch roster apply --config seatwatch.toml

docs/operate/enrol.md says how Mosquitto is made to read what this writes.
"""


def apply(
    config: Annotated[Path, typer.Option("--config", help="the server's configuration file")],
    data: Annotated[Path | None, typer.Option("--data", help="the data directory, over what the file says")] = None,
) -> None:
    """Write the broker's files and let a running broker know who may speak. A running server does this by itself.

    Exit 0 when the files are as they should be and the broker, if it runs, knows; 1 when not; 2 when the configuration
    cannot be used.
    """
    from collector.enrolment.errors import EnrolmentError  # noqa: PLC0415 - a command imports what running it takes
    from seatwatch.clock import now_ms  # noqa: PLC0415 - likewise
    from seatwatch.config import ConfigError, read_config  # noqa: PLC0415 - likewise
    from seatwatch.enrolment_job import opened  # noqa: PLC0415 - likewise
    from seatwatch.server.enrolment import broker_of, may_speak  # noqa: PLC0415 - likewise
    from seatwatch.settings import load_defaults  # noqa: PLC0415 - likewise

    defaults, now, base = load_defaults(), now_ms(), config.parent
    try:
        settings = read_config(config)
        section = settings.enrolment
        with opened(settings.data_dir(base) if data is None else data, defaults) as (authority, store):
            broker = None if section is None else broker_of(section, base, authority, store, defaults)
            if section is None or broker is None:
                typer.echo(f"{config}: enrolment.broker_dir: missing; name the folder to write to", err=True)
                raise typer.Exit(2)
            identities = may_speak(settings, store, now)
            if broker.write(identities, now):
                broker.reload()
            typer.echo(f"{section.broker_dir}: written for {len(identities)} identities")
            if not broker.is_running():
                typer.echo("the broker does not run; it starts with these files")
                return
            host = settings.mqtt.host or section.hosts[0]
            changes = asyncio.run(broker.bring_up_to_date(host, identities, now))
            typer.echo(f"the broker knows; {changes} identities were new or gone")
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(f"{config}: {problem}", err=True)
        raise typer.Exit(2) from None
    except (EnrolmentError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
