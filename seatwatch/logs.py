"""Structured logs of the server: one JSON object a line on stderr, or coloured lines when a person watches.

Event names are dotted and closed per module (`intake.commit_failed`); fields carry ids and counts, never people's text.
"""

import logging
import sys
from typing import TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError


class LibraryLogs(logging.Handler):
    """What libraries log by the standard way, as events among ours instead of plain lines and traces between them.

    A request that is no HTTP, or whose body is not what its head says, is its sender's fault, and anybody may send
    thousands without a token: told once a start for each kind, without trace.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, or leave out what was said."""
        log = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | RequestPayloadError):
            kind = type(error).__name__
            if kind not in self._told:
                self._told.add(kind)
                log.warning("http.bad_request", error=kind)
            return
        said = log.error if record.levelno >= logging.ERROR else log.warning
        said("library.said", logger=record.name, said=record.getMessage(), exc_info=record.exc_info)


def configure_logs(*, stream: TextIO = sys.stderr, level: str = "info") -> None:
    """Set up structlog and the standard library's logging once, at the start of a process.

    Raises KeyError on an unknown level.
    """
    # Format: levels of the standard library.
    levels = {"debug": 10, "info": 20, "warning": 30, "error": 40}
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(levels[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.getLogger().addHandler(LibraryLogs())
