"""`seatwatch account`: who may sign in to the portal."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seatwatch.ending import refuse
from seatwatch.ledger_places import require_directory
from seatwatch.settings import load_defaults
from wire.ids import is_client, is_name

if TYPE_CHECKING:
    from dashboards.portal.accounts import Accounts

EXAMPLES = """
Examples:

  seatwatch account add li.na --role client --client acme

  seatwatch account add ops --role supervisor --site chengdu --password-file ops.txt

  seatwatch account add li.bo --role supervisor --staff w1007     may say "I follow up"

  seatwatch account list

  seatwatch account disable li.na            also ends every session of it at once
"""
Data = Annotated[Path, typer.Option("--data", help="the data directory", readable=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    accounts = typer.Typer(help="Accounts of the portal.", no_args_is_help=True)
    accounts.command("add", epilog=EXAMPLES)(add)
    accounts.command("list", epilog=EXAMPLES)(list_)
    accounts.command("disable", epilog=EXAMPLES)(disable)
    app.add_typer(accounts, name="account")


def add(
    name: Annotated[str, typer.Argument(help="what the person signs in as")],
    role: Annotated[Literal["supervisor", "client", "admin", "auditor"], typer.Option(help="what the account is for")],
    client: Annotated[
        list[str] | None, typer.Option("--client", help="a client it may see; may be repeated; none = all of them")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="a site it may see; may be repeated; none = all of them")
    ] = None,
    staff: Annotated[
        str, typer.Option(help="a supervisor's staff number, under which the team's screen records who follows up")
    ] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="a file whose first line is the password; without it, it is asked for")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Let a person sign in. A client's account sees one client, and no site unless named.

    Exit 0 when it is written, 2 when it cannot be.
    """
    from dashboards.portal.accounts import AccountError, Role

    problem = _problem(name, role, client or (), staff)
    if problem:
        refuse(problem)
    try:
        password = _password(password_file)
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{password_file}: cannot be read ({error})")
    least = load_defaults().int("portal.password_characters_min")
    if len(password) < least:
        refuse(f"{name}: a password has {least} characters or more; three or four words will do")
    sites = tuple(site or ()) if site or role == "client" else None
    try:
        _accounts(data).add(
            name, Role(role), password, clients=tuple(client) if client else None, sites=sites, staff=staff
        )
    except (AccountError, OSError) as error:
        refuse(str(error))
    typer.echo(f"{name}: may sign in as {role}")


def list_(data: Data = Path("data")) -> None:
    """Print every account: name, role, clients, sites, and whether it is disabled."""
    from dashboards.portal.accounts import AccountError

    require_directory(data)
    try:
        found = _accounts(data).all()
    except (AccountError, OSError) as error:
        refuse(str(error))
    for account in sorted(found.values(), key=lambda each: each.name):
        seen = (_listed("clients", account.clients), _listed("sites", account.sites))
        state = "disabled" if account.disabled else "active"
        staff = (f"staff={account.staff}",) if account.staff else ()
        typer.echo("  ".join((account.name, account.role, *seen, *staff, state)))
    if not found:
        typer.echo("no accounts; `seatwatch account add NAME --role ROLE` makes one")


def disable(name: Annotated[str, typer.Argument(help="whose account it is")], data: Data = Path("data")) -> None:
    """End an account and its sessions; a running server knows at once. `add` gives it a new password later."""
    from dashboards.portal.accounts import AccountError

    require_directory(data)
    try:
        _accounts(data).disable(name)
    except (AccountError, OSError) as error:
        refuse(str(error))
    typer.echo(f"{name}: disabled")


def _problem(name: str, role: str, clients: Sequence[str], staff: str) -> str:
    """Why there can be no such account; empty when there can."""
    if not is_name(name) or not all(map(is_client, clients)):
        return f"{name}: names are letters, digits and . _ : @ / -"
    if role == "client" and len(clients) != 1:
        return f"{name}: a client's account sees exactly one client; name it with --client"
    if staff and (role != "supervisor" or not is_name(staff)):
        return f"{name}: --staff is a supervisor's staff number: letters, digits and . _ : @ / -"
    return ""


def _password(file: Path | None) -> str:
    if file is None:
        typed: str = typer.prompt("password", hide_input=True, confirmation_prompt=True)
        return typed
    return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")


def _accounts(data: Path) -> "Accounts":
    from dashboards.portal.accounts import FILE, Accounts

    return Accounts(data / FILE)


def _listed(what: str, names: tuple[str, ...] | None) -> str:
    return f"{what}: {'all' if names is None else ', '.join(names) or 'none'}"
