"""What a form sends."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.web_request import FileField

_NO_STORE: Final = {"Cache-Control": "no-store"}


async def posted(request: web.Request, bytes_max: int) -> Mapping[str, str | bytearray | bytes | FileField]:
    """Its fields. Raises HTTPRequestEntityTooLarge, HTTPBadRequest for what no browser sends: text in no encoding."""
    size = request.content_length
    if size is None or size > bytes_max:
        raise web.HTTPRequestEntityTooLarge(bytes_max, size or 0, headers=_NO_STORE)
    try:
        return await request.post()
    except (LookupError, ValueError):  # a charset that is none; bytes that are not of it; parts without a boundary
        raise web.HTTPBadRequest(headers=_NO_STORE) from None
