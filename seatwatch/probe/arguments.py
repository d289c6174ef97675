"""The words of `seatwatch probe`, its help and its errors. A daemon that is started plainly never loads this."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

EXAMPLES: Final = """\
examples:
  seatwatch probe --config probe.toml            run until Ctrl-C or SIGTERM; logs are JSON lines on stderr
  seatwatch probe --config probe.toml --check    say what is wrong with the configuration, and end
  seatwatch probe doctor --config probe.toml     say what is wrong around the probe, and what mends it
  seatwatch probe enrol --config probe.toml --hub URL --pin FINGERPRINT --code CODE    get an identity from the hub

a configuration for a gateway with one UPS:
  site = "sz1"
  probe = "gw1"
  role = "gateway"
  [broker]
  host = "hub.example"
  [[ups]]
  name = "rack1"
"""


def parse(arguments: Sequence[str]) -> tuple[Path, bool, bool]:
    """The configuration, whether only to check it, whether as a service.

    Raises SystemExit after printing the help, or what is wrong with them.
    """
    parser = argparse.ArgumentParser(
        prog="seatwatch probe",
        description="Watch this machine or site and report to the hub; nothing is lost while the line is down.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="TOML, see docs/operate/probe.md")
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    parser.add_argument("--service", action="store_true", help="as a Windows service (deploy/windows/install.ps1)")
    options = parser.parse_args(arguments)
    return (options.config, options.check, options.service)
