"""`POST /v1/roster`: the way of roster links into the ledgers of a running server.

The command that checked them has read the ledgers already; what comes here are finished entries, each for one ledger.
They are looked at once more, so that this door can bring in links and nothing else.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Annotated, Final

import msgspec
from aiohttp import hdrs, web
from msgspec import Meta

from collector._core.roster import ROSTER
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from collector.intake_http import MSGPACK
from collector.sources import token_hash
from ledger.entry import NewEntry
from wire._fields import Epoch, Sequence
from wire.codec import decode_body
from wire.errors import DecodeError, Reason
from wire.kinds import Kind
from wire.limits import BODY_BYTES_MAX
from wire.organisation import RosterLink

PATH: Final = "/v1/roster"
_KIND_VERSION: Final = 1


class LinkEntry(msgspec.Struct, frozen=True, array_like=True):
    """One entry: its key under `~roster`, and its body."""

    epoch: Epoch
    sequence: Sequence
    body: Annotated[bytes, Meta(max_length=BODY_BYTES_MAX)]


class RosterRequest(msgspec.Struct, frozen=True, array_like=True):
    """Entries by ledger, the operator's first."""

    ledgers: dict[str, list[LinkEntry]]


class RosterAnswer(msgspec.Struct, frozen=True, array_like=True):
    """How many entries each ledger took; what it had already adds nothing."""

    appended: dict[str, int]


_decode: Final = msgspec.msgpack.Decoder(RosterRequest).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class RosterDoor:
    """The door. token_digest: SHA-256 of the token it wants, as hex."""

    def __init__(self, intake: Intake, token_digest: str) -> None:
        self._intake = intake
        self._token_digest = token_digest.lower()

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.post(PATH, self._roster)]

    async def _roster(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not compare_digest(token_hash(token.strip()), self._token_digest):
            return web.Response(status=401, text="send the token of this data directory")
        try:
            entries = self._entries(_decode(await request.read()))
        except (msgspec.MsgspecError, DecodeError) as error:
            return web.Response(status=422, text=f"not a list of roster links ({type(error).__name__})")
        unknown = [client for client in entries if client not in self._intake.ledgers]
        if unknown:
            return web.Response(
                status=422, text=f"no ledger for {', '.join(unknown)}; add the client to the configuration"
            )
        try:
            appended = {
                client: (await self._intake.append_derived(client, links, latest=True)).appended
                for client, links in entries.items()
            }
        except (Busy, IntakeStopped):
            return web.Response(status=503, text="busy; import it again, what is stored adds nothing")
        return web.Response(body=_encode(RosterAnswer(appended)), content_type=MSGPACK)

    @staticmethod
    def _entries(request: RosterRequest) -> Mapping[str, list[NewEntry]]:
        found = {}
        for client, links in request.ledgers.items():
            for link in links:
                if not isinstance(decode_body(Kind.ROSTER_LINK, _KIND_VERSION, link.body), RosterLink):
                    raise DecodeError(Reason.BODY_MALFORMED, "not a roster link")
            found[client] = [
                NewEntry(ROSTER, link.epoch, link.sequence, Kind.ROSTER_LINK, _KIND_VERSION, link.body)
                for link in links
            ]
        return found
