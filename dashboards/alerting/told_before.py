"""What the bridge told each channel last, kept in a file, so that a bridge started anew repeats nothing.

Alertmanager is the queue: what was on its way when the bridge died comes again, as twice is better than never there.
"""

from pathlib import Path
from typing import Final

import msgspec
import structlog

log = structlog.get_logger()
FILE: Final = "notified.json"
"""Below the data directory."""
NOBODY: Final = ""
"""In place of a channel: what the bridge itself heard last."""


class LastWord(msgspec.Struct, frozen=True):
    """What a channel was last told of something. at: ms. ended_at: as Alertmanager has it."""

    status: str = ""
    at: int = 0
    ended_at: str = ""


_decode: Final = msgspec.json.Decoder(dict[str, dict[str, LastWord]]).decode


class ToldBefore:
    """The last word to each channel (its id) about each thing (a key of the bridge's own). file: where it is kept."""

    def __init__(self, file: Path) -> None:
        self._file: Final = file
        self._words: Final = self._read()

    def last(self, channel: str, about: str) -> LastWord:
        """An empty one where nothing was told, or nothing that is remembered."""
        return self._words.get(channel, {}).get(about, LastWord())

    def replace(self, channel: str, words: dict[str, LastWord]) -> None:
        """All that is remembered of a channel from now on."""
        self._words[channel] = words
        unfinished = self._file.with_name(f"{self._file.name}.new")
        try:
            unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(self._words)))
            unfinished.replace(self._file)  # whole or not at all
        except OSError as error:
            # a full disk keeps nobody from being called; what is told again after a restart is the lesser evil
            log.error("paging.memory_unwritable", why=str(error))  # noqa: TRY400 - the disk is at fault, not the code

    def of(self, channel: str) -> dict[str, LastWord]:
        """All that is remembered of a channel, to be changed and put back."""
        return dict(self._words.get(channel, {}))

    def _read(self) -> dict[str, dict[str, LastWord]]:
        try:
            return _decode(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            log.error("paging.memory_unreadable", why=str(error))  # noqa: TRY400 - likewise
            return {}
