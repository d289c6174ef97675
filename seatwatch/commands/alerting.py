"""`seatwatch alerting`: the files that Prometheus and Alertmanager read."""

from pathlib import Path
from typing import Annotated

import typer

from seatwatch.config import ConfigError
from seatwatch.ending import configured, refuse_file
from seatwatch.settings import load_defaults

EXAMPLES = """
Examples:

  seatwatch alerting rules --config seatwatch.toml --out /etc/prometheus

  seatwatch alerting alertmanager --config seatwatch.toml --out /etc/alertmanager

docs/operate/on-call.md says how they are started and how an incident travels.
"""
ConfigFile = Annotated[Path, typer.Option("--config", help="the server's configuration file")]
Out = Annotated[Path, typer.Option("--out", help="the folder to write into")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Rules for Prometheus, routes for Alertmanager.", no_args_is_help=True)
    group.command("rules", epilog=EXAMPLES)(rules)
    group.command("alertmanager", epilog=EXAMPLES)(alertmanager)
    app.add_typer(group, name="alerting")


def rules(config: ConfigFile, out: Out = Path()) -> None:
    """Write seatwatch.rules.yml: an alert for each kind of incident, and those about Seatwatch itself.

    And seatwatch.promises.rules.yml: of every contract with a target, what is missed, and alerts on its allowance.
    """
    from seatwatch.server.on_call import rules_text
    from seatwatch.server.promises import promises_text

    read = configured(config)
    try:
        promises = promises_text(read, config.parent, load_defaults())
    except ConfigError as error:
        refuse_file(config, error)
    _write(out / "seatwatch.rules.yml", rules_text(read, load_defaults()))
    _write(out / "seatwatch.promises.rules.yml", promises)


def alertmanager(
    config: ConfigFile,
    out: Out = Path(),
    token_file: Annotated[
        Path, typer.Option(help="where Alertmanager finds the bridge's token, a copy of DATA/keys/notify.token")
    ] = Path("/etc/alertmanager/notify.token"),
) -> None:
    """Write alertmanager.yml: the duty list as routes, and which cause keeps which symptom quiet."""
    from seatwatch.server.on_call import alertmanager_text

    _write(out / "alertmanager.yml", alertmanager_text(configured(config), load_defaults(), token_file))


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"{file}: cannot be written ({error.strerror}); name another folder with --out", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{file}: written")
