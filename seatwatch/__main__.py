"""The console script `seatwatch`.

`seatwatch probe` runs on a seat PC with the base install, which has neither typer nor what the server is made of; so
it is told apart here, before anything of the kind is imported.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

SERVER_MISSING: Final = "This command needs the server parts. Fix: pip install 'seatwatch[server]'\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (default: the process's own arguments) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["probe"]:
        code: int = import_module("seatwatch.probe.command").run(arguments[1:])
        return code
    try:
        from seatwatch import cli
    except ModuleNotFoundError as missing:
        if missing.name != "typer":
            raise
        sys.stderr.write(SERVER_MISSING)
        return 2
    return cli.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
