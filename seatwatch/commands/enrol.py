"""`seatwatch enrol`: codes for machines, the list of those who wait, and the end of an identity."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from collector.enrolment._core.desk import JoinState
    from collector.enrolment.authority import Authority
    from collector.enrolment.store import EnrolmentStore, Pending
    from seatwatch.config import Config
    from seatwatch.settings import Defaults

EXAMPLES = """
Examples:

  seatwatch enrol claim --config seatwatch.toml --site site1              a code for the site's gateway

  seatwatch enrol batch --config seatwatch.toml --site site1 --count 40 --for 8h --cidr 203.0.113.0/29

  seatwatch enrol pending --config seatwatch.toml                         machines that wait

  seatwatch enrol approve --config seatwatch.toml site1-4fa2c1            all of a batch that wait, at once

  seatwatch enrol refuse --config seatwatch.toml site1-4fa2c1 --host pc-17

  seatwatch enrol revoke --config seatwatch.toml site1/seat-07 --reason stolen

docs/operate/enrol.md walks through it.
"""

ConfigFile = Annotated[Path, typer.Option("--config", help="the server's configuration file")]
DataDir = Annotated[Path | None, typer.Option("--data", help="the data directory, over what the file says")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    enrol = typer.Typer(help="Who may speak: codes, approvals, revocations.", no_args_is_help=True)
    for name, command in (
        ("claim", claim),
        ("batch", batch),
        ("pending", pending),
        ("approve", approve),
        ("refuse", refuse),
        ("revoke", revoke),
    ):
        enrol.command(name, epilog=EXAMPLES)(command)
    enrol.callback()(_only_groups)
    app.add_typer(enrol, name="enrol")


def _only_groups() -> None:
    """Who may speak: codes, approvals, revocations."""


class _Hub(NamedTuple):
    config: "Config"
    data: Path
    authority: "Authority"
    store: "EnrolmentStore"
    defaults: "Defaults"
    now: int


@contextmanager
def _hub(config: Path, data: Path | None) -> Iterator[_Hub]:
    """Everything a command needs. What goes wrong inside ends the command with its message."""
    from collector.enrolment.errors import EnrolmentError
    from ledger.errors import LedgerError
    from seatwatch.clock import now_ms
    from seatwatch.config import ConfigError, read_config
    from seatwatch.enrolment_job import opened
    from seatwatch.settings import load_defaults

    defaults = load_defaults()
    try:
        settings = read_config(config)
        directory = settings.data_dir(config.parent) if data is None else data
        with opened(directory, defaults) as (authority, store):
            yield _Hub(settings, directory, authority, store, defaults, now_ms())
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(f"{config}: {problem}", err=True)
        raise typer.Exit(2) from None
    except (EnrolmentError, LedgerError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def claim(
    config: ConfigFile,
    site: Annotated[str, typer.Option(help="the site")],
    probe: Annotated[str, typer.Option(help="which of its probes")] = "gateway",
    data: DataDir = None,
) -> None:
    """Draw a code for one machine: good for 15 minutes and one key. An earlier unused code of the probe ends."""
    from seatwatch.enrolment_job import draw_claim

    with _hub(config, data) as hub:
        drawn = draw_claim(hub.store, hub.config, site, probe, hub.now, hub.defaults)
        typer.echo(f"for {drawn.about}, until {_clock(drawn.expires_at)}. On that machine:")
        typer.echo(f"  {_invitation(hub, drawn.code)}")


def batch(
    config: ConfigFile,
    site: Annotated[str, typer.Option(help="the site whose seats come in")],
    count: Annotated[int, typer.Option(help="how many machines, at most")],
    cidr: Annotated[list[str], typer.Option(help="network they come from, as the hub sees it; may be repeated")],
    lasts: Annotated[str, typer.Option("--for", help="how long new machines may come in, as 8h")] = "8h",
    data: DataDir = None,
) -> None:
    """Draw a token for the seats of a site whose host names the roster has. They wait until the list is approved."""
    from seatwatch.enrolment_job import BatchWanted, draw_batch

    with _hub(config, data) as hub:
        wanted = BatchWanted(site, count, lasts, cidr)
        drawn, hosts, beside = draw_batch(hub.store, hub.config, hub.data, wanted, hub.now, hub.defaults)
        typer.echo(f"batch {drawn.about}: {len(hosts)} host names, until {_clock(drawn.expires_at)}. On each seat:")
        typer.echo(f"  {_invitation(hub, drawn.code)}")
        typer.echo(f"then: seatwatch enrol approve --config {config} {drawn.about}")
        for name, expires_at in beside.items():
            typer.echo(f"WARNING: batch {name} lets the same hosts in too, until {_clock(expires_at)}", err=True)


def pending(
    config: ConfigFile,
    batch_name: Annotated[str, typer.Argument(metavar="[BATCH]", help="only this batch")] = "",
    data: DataDir = None,
) -> None:
    """List the machines that wait for approval."""
    with _hub(config, data) as hub:
        _list(hub.store.pending(batch_name))


def approve(
    config: ConfigFile,
    batch_name: Annotated[str, typer.Argument(metavar="BATCH", help="the batch")],
    host: Annotated[list[str], typer.Option(help="only this host name; may be repeated")] = [],  # noqa: B006 - typer reads it
    data: DataDir = None,
) -> None:
    """Let in the machines of a batch that wait, as a list. Exit 1 where nobody waits, or not all who are named."""
    from collector.enrolment._core.desk import JoinState

    _decide(config, data, batch_name, host, JoinState.APPROVED)


def refuse(
    config: ConfigFile,
    batch_name: Annotated[str, typer.Argument(metavar="BATCH", help="the batch")],
    host: Annotated[list[str], typer.Option(help="only this host name; may be repeated")] = [],  # noqa: B006 - typer reads it
    data: DataDir = None,
) -> None:
    """Turn away machines of a batch that wait. They may not come back by this batch. Exit codes as of `approve`."""
    from collector.enrolment._core.desk import JoinState

    _decide(config, data, batch_name, host, JoinState.REFUSED)


def revoke(
    config: ConfigFile,
    identity: Annotated[str, typer.Argument(help="as site1/seat-07")],
    reason: Annotated[str, typer.Option(help="for the record, in a word")] = "revoked",
    data: DataDir = None,
) -> None:
    """End an identity: its certificates, its codes, and, by the running server, its session.

    Exit 0 when it had one, 1 when not. Without a running server, `seatwatch roster apply` tells the broker.
    """
    from seatwatch.enrolment_job import operator_name

    with _hub(config, data) as hub:
        ended = hub.store.revoke(identity, reason, operator_name(), hub.now)
        typer.echo(f"{identity}: {ended} certificates revoked")
    if not ended:
        raise typer.Exit(1)


def _decide(config: Path, data: Path | None, batch_name: str, hosts: list[str], state: "JoinState") -> None:
    wanted = {host.casefold() for host in hosts}
    with _hub(config, data) as hub:
        found = [each for each in hub.store.pending(batch_name) if not wanted or each.host in wanted]
        _list(found)
        typer.echo(f"{hub.store.decide(found, state)} {state}")
    absent = sorted(wanted - {each.host for each in found})
    for host in absent:
        typer.echo(f"{host} does not wait in {batch_name}; `seatwatch enrol pending` lists who does", err=True)
    if absent or not found:
        raise typer.Exit(1)


def _list(machines: list["Pending"]) -> None:
    for each in machines:
        asked = _clock(each.asked_at)
        # Layout: so much of a machine's id is compared by eye.
        typer.echo(f"{each.batch}  {each.host}  {each.identity}  {each.address}  {each.machine[:12]}  since {asked}")
    if not machines:
        typer.echo("nobody waits")


def _invitation(hub: _Hub, code: str) -> str:
    section = hub.config.enrolment
    url = "https://HUB:8743" if section is None else f"https://{section.hosts[0]}:{section.port}"
    return f"seatwatch probe enrol --config probe.toml --hub {url} --pin {hub.authority.fingerprint} --code {code}"


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
