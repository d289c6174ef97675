"""The command line, except for `seatwatch probe`, which starts without typer (see `seatwatch/__main__.py`)."""

from collections.abc import Sequence
from importlib import import_module
from typing import Final

import typer

from seatwatch.refusals import speak

# In the order of the help page. A module of this name in seatwatch/commands has `register(app)`.
COMMANDS: Final = (
    *("demo", "up", "import_", "board", "report", "reconcile", "seats", "explain", "definition", "roster"),
    *(
        "maintenance",
        "incident",
        "causes",
        "alerting",
        "notify",
        "message",
        "dashboards",
        "deadman",
        "authority",
        "enrol",
    ),
    *("fsck", "prove", "backup", "check_config", "token", "account", "device", "version"),
)

HELP: Final = """Telemetry and service-level monitoring for outsourced contact centers."""

EXAMPLES: Final = """
Examples:

  seatwatch demo                                   watch a simulated contact center

  seatwatch check-config seatwatch.toml            what is wrong with a configuration

  seatwatch up --config seatwatch.toml             run the server

  seatwatch probe --config probe.toml              run a probe on a seat PC or a gateway

  seatwatch roster import roster.xlsx --check      what a roster would change

  seatwatch maintenance plan --line chengdu/telecom --from "2026-12-01 02:00" --for 2h --reason "new modem"

  seatwatch incident list --open                   what is wrong at the sites

  seatwatch import calls.csv --mapping mapping.toml --client acme

  seatwatch board --at "2026-11-21 11:00"          the board of a past instant

  seatwatch report --client acme --from 2026-11-01 --to 2026-12-01 --by day   the figures of a month

  seatwatch reconcile --client acme --from 2026-11-01 --to 2026-12-01    a platform's figures beside ours

  seatwatch seats --from 2026-11-01 --to 2026-12-01    staffed beside contracted seats

  seatwatch definition list                        the rules there are, with source and date
  seatwatch explain CONVERSATION --client acme     why it counts as what it counts

  seatwatch causes --client acme --from 2026-11-01 --to 2026-12-01    what stood behind the misses of a month

  seatwatch alerting rules --config seatwatch.toml --out /etc/prometheus    what pages, as rules for Prometheus

  seatwatch notify test --config seatwatch.toml    whether the people on duty can be reached

  seatwatch message preview daily --client acme --lang zh    the report of the last business day

  seatwatch authority init --data data             the authority that signs identities of probes

  seatwatch enrol claim --config seatwatch.toml --site site1    a code for a gateway

  seatwatch backup DATA BACKUP                     copy every ledger while the server runs

  seatwatch fsck DATA/clients/acme                 check a ledger to the last byte

  seatwatch prove inclusion DATA/clients/acme 7    a proof that entry 7 is in the signed tree

  seatwatch account add li.na --role client --client acme   let a person sign in to the portal

  seatwatch device add floor-2-east --client acme   let a TV show the board of a client

  seatwatch COMMAND --help                         what a command takes, with examples
"""


def build_app(*, asked: str = "") -> typer.Typer:
    """The command `asked` for, without loading what only the others need; the whole tree where none has that name."""
    app = typer.Typer(
        name="seatwatch",
        help=HELP,
        epilog=EXAMPLES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root() -> None:
        """Telemetry and service-level monitoring for outsourced contact centers."""

    @app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def probe() -> None:
        """Run the probe of a seat PC or a site gateway."""
        unreachable = "seatwatch.__main__ starts the probe before this tree is built"
        raise AssertionError(unreachable)

    named = [module for module in COMMANDS if _word(module) == asked]
    for module in named or COMMANDS:
        import_module(f"seatwatch.commands.{module}").register(app)
    return app


def _word(module: str) -> str:
    """How a person writes the command of a module."""
    return module.rstrip("_").replace("_", "-")


def run(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed, 2 asked for wrongly."""
    speak("en")
    try:
        build_app(asked=next(iter(arguments), ""))(args=list(arguments), prog_name="seatwatch")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
