"""Structured logs of the server: one JSON object a line on stderr, or coloured lines when a person watches.

Event names are dotted and closed per module (`intake.commit_failed`); fields carry ids and counts, never people's text.
"""

import sys
from typing import TextIO

import structlog


def configure_logs(*, stream: TextIO = sys.stderr, level: str = "info") -> None:
    """Set up structlog once, at the start of a process. Raises KeyError on an unknown level."""
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
