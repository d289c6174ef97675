"""`seatwatch device`: which TVs may show the board, and what each of them may show."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwatch.clock import elapsed_ms, now_ms
from seatwatch.ending import refuse
from seatwatch.ledger_places import require_directory
from wire.ids import is_client, is_name

if TYPE_CHECKING:
    from dashboards.wallboard.devices import Device, Devices

EXAMPLES = """
Examples:

  seatwatch device add floor-2-east --client acme --site site1 --layout floor-2

  seatwatch device list                      what each may show, and when it was last seen

  seatwatch device revoke floor-2-east       its screen says so within seconds
"""
Data = Annotated[Path, typer.Option("--data", help="the data directory", readable=False)]
MS_PER_S = 1_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    devices = typer.Typer(help="TVs that show the board.", no_args_is_help=True)
    devices.command("add", epilog=EXAMPLES)(add)
    devices.command("list", epilog=EXAMPLES)(list_)
    devices.command("revoke", epilog=EXAMPLES)(revoke)
    app.add_typer(devices, name="device")


def add(
    name: Annotated[str, typer.Argument(help="what the TV is called, such as floor-2-east")],
    client: Annotated[
        list[str] | None, typer.Option("--client", help="a client it may show; may be repeated; none = all of them")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="a site it may show; may be repeated; none = all of them")
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option("--team", help="a team it may show; may be repeated; none = all of its clients")
    ] = None,
    layout: Annotated[str, typer.Option("--layout", help="the layout it shows where its address names none")] = "",
    data: Data = Path("data"),
) -> None:
    """Let a TV in: prints its token, this once. It can look and do nothing else.

    Exit 0 when it is written, 2 when it cannot be.
    """
    from dashboards.wallboard.devices import DeviceError

    given = [name, *(site or ()), *(team or ()), *([layout] if layout else [])]
    wrong = [each for each in given if not is_name(each)] + [each for each in client or () if not is_client(each)]
    if wrong:
        refuse(f"{wrong[0]}: names are letters, digits and . _ : @ / -")
    require_directory(data)
    try:
        token = _devices(data).add(
            name, clients=_given(client), sites=_given(site), teams=_given(team), layout=layout, at=now_ms()
        )
    except (DeviceError, OSError) as error:
        refuse(str(error))
    typer.echo(f"{name}: open /sign-in on the TV and type {token}")
    typer.echo(f"or open /sign-in#token={token} once. It is shown this once and kept nowhere.", err=True)
    for unknown in _unknown(data, client or ()):
        typer.echo(f"--client {unknown}: {data} has no such client yet; until then the TV shows none", err=True)
    if layout:
        typer.echo(f"--layout {layout}: not checked, the server's configuration names its layouts", err=True)


def list_(data: Data = Path("data")) -> None:
    """Print every device: name, what it may show, its layout, since when, and when it was last seen."""
    from dashboards.wallboard.devices import DeviceError

    require_directory(data)
    devices = _devices(data)
    try:
        found, seen = devices.all(), devices.seen()
    except (DeviceError, OSError) as error:
        refuse(str(error))
    for device in sorted(found.values(), key=lambda each: each.name):
        unknown = _unknown(data, device.clients or ())
        missing = [f"no such client yet: {', '.join(unknown)}"] if unknown else []
        typer.echo("  ".join([*_told(device, seen.get(device.name)), *missing]))
    if not found:
        typer.echo("no devices; `seatwatch device add NAME` lets one in")


def revoke(name: Annotated[str, typer.Argument(help="which device it is")], data: Data = Path("data")) -> None:
    """End a device; a running server knows within a second. `add` gives it a new token later."""
    from dashboards.wallboard.devices import DeviceError

    require_directory(data)
    try:
        _devices(data).revoke(name, now_ms())
    except (DeviceError, OSError) as error:
        refuse(str(error))
    typer.echo(f"{name}: revoked")


def _told(device: "Device", seen_at: int | None) -> list[str]:
    shown = [f"layout: {device.layout}"] if device.layout else []
    ended = [] if device.revoked_at is None else [f"revoked {_local(device.revoked_at)}"]
    return [
        device.name,
        _listed("clients", device.clients),
        _listed("sites", device.sites),
        _listed("teams", device.teams),
        *shown,
        f"added {_local(device.added_at)}",
        "never seen" if seen_at is None else f"last seen {_local(seen_at)}",
        *ended,
    ]


def _unknown(data: Path, clients: Iterable[str]) -> list[str]:
    """Those that the data directory has no record of."""
    from collector.ledgers import ledger_directory

    return [client for client in clients if not ledger_directory(data, client).is_dir()]


def _local(at: int) -> str:
    return datetime.fromtimestamp(at // MS_PER_S).astimezone().isoformat(sep=" ", timespec="seconds")


def _listed(what: str, names: tuple[str, ...] | None) -> str:
    return f"{what}: {'all' if names is None else ', '.join(names)}"


def _given(names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None


def _devices(data: Path) -> "Devices":
    from dashboards.wallboard.devices import Devices

    return Devices(data, elapsed_ms=elapsed_ms, look_ms=0)
