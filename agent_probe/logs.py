"""Structured logs on the standard library alone: one JSON object a line."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest came in `extra` and is what the line is about."""


class JsonLines(logging.Formatter):
    """time_ms, level, event, then the event's own fields. Values that JSON does not know are written as text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, object] = {
            "time_ms": int(record.created * 1000),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "from": record.name,
        }
        fields.update({key: value for key, value in vars(record).items() if key not in STANDARD})
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False)


def log_to_stderr(level: int = logging.INFO) -> Callable[[], None]:
    """Send every record of `level` and above to stderr. Returns what undoes this."""
    return _log_to(logging.StreamHandler(sys.stderr), level)


def log_to_file(path: Path, size: int, kept: int, level: int = logging.INFO) -> Callable[[], None]:
    """Send every record to a file of at most `size` bytes, with `kept` older ones beside it. Returns what undoes this.

    Raises OSError. For a Windows service, which has no stderr.
    """
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415 - loads sockets and more that stderr needs not

    return _log_to(RotatingFileHandler(path, maxBytes=size, backupCount=kept, encoding="utf-8"), level)


def _log_to(handler: logging.Handler, level: int) -> Callable[[], None]:
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)

    def undo() -> None:
        root.removeHandler(handler)
        handler.close()
        root.setLevel(before)

    return undo
