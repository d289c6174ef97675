"""Why there is nothing to show of the past.

* PastError: nothing to show. `says` is a key of the glossary, `status` the HTTP status.
  InFutureError, MalformedError (the reader's to cure), NothingThenError, BusyError, UnreadableError (the world's).
"""

from aiohttp import web


class PastError(Exception):
    """There is nothing to show."""

    says = ""
    status = web.HTTPBadRequest.status_code


class MalformedError(PastError):
    """What was asked for is no instant."""

    says = "past_malformed"


class InFutureError(PastError):
    """The instant has not come yet."""

    says = "past_in_future"


class NothingThenError(PastError):
    """The record begins later, and nothing that came in since is of that time."""

    says = "past_nothing_then"
    status = web.HTTPNotFound.status_code


class BusyError(PastError):
    """Enough others are waiting for theirs."""

    says = "past_busy"
    status = web.HTTPServiceUnavailable.status_code


class UnreadableError(PastError):
    """It took too long, or the record could not be read."""

    says = "past_unreadable"
    status = web.HTTPServiceUnavailable.status_code
