"""The files a demo's server is started with, as a person would write them."""

import asyncio
import csv
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

from seatwatch.addresses import LOOPBACK_NAMES
from seatwatch.floor.plan import NAMES, ROSTER_COLUMNS, FloorPlan, roster_rows

ROSTER_FROM: Final = "2020-01-01"


def write_configuration(
    base: Path, plan: FloorPlan, *, listen: str, port: int, windows: int
) -> tuple[dict[str, str], str]:
    """Configuration, tokens, definition and roster of a plan. Returns connectors' tokens and the reader's or "".

    windows: how many conversations one person is meant to hold.
    """
    lines = ["[server]", f'listen = "{listen}"', f"port = {port}"]
    tokens = {client: secrets.token_urlsafe() for client in plan.queues}
    reader = "" if listen in LOOPBACK_NAMES else secrets.token_urlsafe()
    for client, queues in plan.queues.items():
        _write_token(base / f"{client}.token", tokens[client])
        lines += ["[[client]]", f'id = "{client}"', f'name = "{NAMES[client]}"', 'definition = "demo.toml"']
        for queue in queues:
            lines += ["[[client.queue]]", f'id = "{queue}"', f'name = "{NAMES[queue]}"']
        lines += ["[[client.shop]]", f'id = "{client}-shop"', f'name = "{NAMES[f"{client}-shop"]}"']
        lines += ["[[source]]", f'id = "chat/{client}"', f'client = "{client}"', f'token_file = "{client}.token"']
    for number, site in enumerate(plan.sites, start=1):
        lines += ["[[site]]", f'id = "{site}"', f'name = "Site {number}"', f"seats = {plan.seats_per_site}"]
    for team in sorted({person.team for person in plan.people}):
        place, _, nth = team.removeprefix("site").partition("-team-")
        lines += ["[[team]]", f'id = "{team}"', f'name = "Team {place}.{nth}"']
    if reader:
        _write_token(base / "reader.token", reader)
        lines += ["[[reader]]", 'name = "demo"', 'token_file = "reader.token"']
    (base / "seatwatch.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # the demo is watched at any hour, so its window is the whole day
    definition = 'based_on = "contract-10s"\nname = "demo"\nservice_windows = ["00:00-24:00"]\n'
    (base / "demo.toml").write_text(definition, encoding="utf-8")
    _write_roster(base / "roster.csv", plan, windows)
    return tokens, reader


async def import_roster(file: Path, data: Path) -> None:
    """`seatwatch roster import`, as a person would run it. Raises RuntimeError with what it said if it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "seatwatch",
        "roster",
        "import",
        str(file),
        "--data",
        str(data),
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the demo's roster was not imported:\n{said.decode(errors='replace')}")


def _write_roster(path: Path, plan: FloorPlan, windows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ROSTER_COLUMNS)
        writer.writeheader()
        writer.writerows(roster_rows(plan, ROSTER_FROM, limit=windows))


def _write_token(path: Path, token: str) -> None:
    path.touch(mode=0o600)
    path.write_text(token + "\n", encoding="utf-8")
