"""What a form sends, or a script."""

import zlib
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.web_request import FileField
from msgspec.json import Decoder

from dashboards.wallboard.access import is_same_origin

T = TypeVar("T")

_NO_STORE: Final = {"Cache-Control": "no-store"}
_SAID: Final = "This form cannot be read. Open its page again, and send it from there."
_UNREADABLE: Final = (
    LookupError,  # a charset that is none
    ValueError,  # bytes that are not of it; parts without a boundary, or within parts
    RuntimeError,  # a part in no encoding, or compressed in no way that is known
    AssertionError,  # a part without a name
    zlib.error,  # a part that is not compressed as it says
    web.RequestPayloadError,
)


def require_json(request: web.Request) -> None:
    """Raises HTTPForbidden for all but JSON from a page of ours: another site's cannot send it with our cookie."""
    if not is_same_origin(request) or request.content_type != "application/json":
        raise web.HTTPForbidden(headers=_NO_STORE)


async def posted_json(request: web.Request, bytes_max: int, decoder: Decoder[T]) -> T:
    """What it says. Raises HTTPRequestEntityTooLarge, and HTTPUnprocessableEntity for what is of another shape."""
    size = request.content_length
    if size is None or size > bytes_max:
        raise web.HTTPRequestEntityTooLarge(bytes_max, size or 0, headers=_NO_STORE)
    try:
        return decoder.decode(await request.read())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise web.HTTPUnprocessableEntity(headers=_NO_STORE) from None


async def posted(request: web.Request, bytes_max: int) -> Mapping[str, str | bytearray | bytes | FileField]:
    """Its fields. Raises HTTPRequestEntityTooLarge, and HTTPBadRequest for what no browser sends."""
    size = request.content_length
    if size is None or size > bytes_max:
        raise web.HTTPRequestEntityTooLarge(bytes_max, size or 0, headers=_NO_STORE)
    try:
        return await request.post()
    except _UNREADABLE:
        raise web.HTTPBadRequest(text=_SAID, headers=_NO_STORE) from None
