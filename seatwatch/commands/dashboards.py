"""`seatwatch dashboards`: the Grafana boards, as files or straight into a Grafana."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  seatwatch dashboards export deploy/compose/grafana/boards                for Grafana's file provisioning

  seatwatch dashboards push --url http://127.0.0.1:3000 --token-file grafana.token

docs/operate/grafana.md says what the boards show and how a Grafana is set up.
"""
Job = Annotated[str, typer.Option("--scrape-job", help="under which name Prometheus scrapes the server")]
SHIPPED_JOB = "seatwatch"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Grafana boards: write them, or hand them to a Grafana.", no_args_is_help=True)
    group.command("export", epilog=EXAMPLES)(export)
    group.command("push", epilog=EXAMPLES)(push)
    app.add_typer(group, name="dashboards")


def export(
    folder: Annotated[Path, typer.Argument(help="the folder to write into")],
    scrape_job: Job = SHIPPED_JOB,
) -> None:
    """Write each board as a JSON file, over those of an earlier version."""
    from seatwatch.grafana_boards import boards
    from seatwatch.settings import load_defaults

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, board in boards(load_defaults(), scrape_job).items():
            text = json.dumps(board, ensure_ascii=False, indent=1, sort_keys=True)
            (folder / name).write_text(f"{text}\n", encoding="utf-8")
            typer.echo(f"{folder / name}: written")
    except OSError as error:
        typer.echo(f"{folder}: cannot be written ({error.strerror}); name another folder", err=True)
        raise typer.Exit(1) from None


def push(
    url: Annotated[str, typer.Option(help="where the Grafana is reached, such as http://127.0.0.1:3000")],
    token_file: Annotated[Path, typer.Option(help="holds the token of a service account with the role Editor")],
    scrape_job: Job = SHIPPED_JOB,
) -> None:
    """Put each board into the folder Seatwatch of a Grafana, over those of an earlier version."""
    from seatwatch.grafana_boards import PushFailed, boards, push_boards
    from seatwatch.settings import load_defaults

    defaults = load_defaults()
    try:
        token = token_file.read_bytes().strip()
    except OSError as error:
        typer.echo(f"{token_file}: cannot be read ({error.strerror})", err=True)
        raise typer.Exit(2) from None
    if not token.isascii() or len(token.split()) != 1:
        typer.echo(f"{token_file}: holds no token; it is one word on one line", err=True)
        raise typer.Exit(2)
    found = boards(defaults, scrape_job)
    try:
        asyncio.run(
            push_boards(url, token.decode(), list(found.values()), timeout_s=defaults.seconds("grafana.push_timeout"))
        )
    except PushFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{url}: {len(found)} boards")
