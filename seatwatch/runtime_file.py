"""`DATA/runtime.json`: where a running server can be reached, for commands on the same machine."""

import os
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "runtime.json"


class Runtime(msgspec.Struct, frozen=True):
    """A running server. boot_id changes with every start; token_file lets the data directory's owner import."""

    pid: int
    boot_id: str
    url: str
    mqtt_port: int
    token_file: str = ""


_decode: Final = msgspec.json.Decoder(Runtime).decode


def write_runtime(data: Path, runtime: Runtime) -> None:
    """Say where this server is. Whole or not at all."""
    unfinished = data / f"{NAME}.{os.getpid()}"
    unfinished.write_bytes(msgspec.json.encode(runtime))
    unfinished.replace(data / NAME)


def read_runtime(data: Path) -> Runtime | None:
    """The server that runs over `data`, None when there is none or its file cannot be read."""
    try:
        runtime = _decode((data / NAME).read_bytes())
        os.kill(runtime.pid, 0)
    except (OSError, msgspec.MsgspecError):
        return None
    return runtime


def remove_runtime(data: Path, boot_id: str) -> None:
    """This server is gone; a file of another one stays."""
    there = read_runtime(data)
    if there is not None and there.boot_id == boot_id:
        (data / NAME).unlink(missing_ok=True)
