"""Reads what Mosquitto writes into a file as it grows, and cuts the file short when it has been read."""

import os
from collections.abc import Iterator
from pathlib import Path


class BrokerLog:
    """One log file. bytes_max: how long it may grow; what is cut off was read before, but for what came meanwhile."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._offset = 0
        self._rest = b""

    def lines(self) -> Iterator[str]:
        """Whole lines that came since the last call; none while there is no file. Raises OSError."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size < self._offset:  # cut short by somebody else
            self._offset, self._rest = 0, b""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while block := file.read(self._bytes_max):
                *whole, self._rest = (self._rest + block).split(b"\n")
                self._offset += len(block)
                yield from (line.decode("utf-8", "replace") for line in whole)
        if self._offset > self._bytes_max:
            os.truncate(self._path, 0)  # Mosquitto appends, so it goes on at the beginning
            self._offset = 0
