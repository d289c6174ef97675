"""What the server's log says: one JSON object a line, whoever speaks."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage, ContentEncodingError

from seatwatch.logs import configure_logs


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of a process, which this one stops being afterwards."""
    before, stream = list(logging.getLogger().handlers), io.StringIO()
    configure_logs(stream=stream)
    yield stream
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


def said(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _fail(error: Exception) -> None:
    try:
        raise error
    except type(error):
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "192.0.2.7")


def test_requests_that_are_none_are_told_once_for_each_kind_and_leave_no_trace(log: io.StringIO) -> None:
    for error in (BadHttpMessage("x"), BadHttpMessage("y"), ContentEncodingError("z"), BadHttpMessage("x")):
        _fail(error)
    assert [(line["event"], line["error"]) for line in said(log)] == [
        ("http.bad_request", "BadHttpMessage"),
        ("http.bad_request", "ContentEncodingError"),
    ]


def test_what_a_library_says_is_one_object_with_its_trace_inside(log: io.StringIO) -> None:
    _fail(ZeroDivisionError("a fault of ours"))
    logging.getLogger("asyncio").warning("a warning")
    logging.getLogger("asyncio").info("nobody asked")
    first, second = said(log)
    assert (first["event"], first["logger"], first["level"]) == ("library.said", "aiohttp.server", "error")
    assert first["said"] == "Error handling request from 192.0.2.7"
    assert "ZeroDivisionError: a fault of ours" in first["exception"]
    assert (second["said"], second["level"]) == ("a warning", "warning")
