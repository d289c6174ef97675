"""`POST /v1/maintenance`: planned work, from the owner of the data directory into the operator's ledger.

The hub stamps it with its own time: work that is declared after it began excuses nothing, whatever the command says.
"""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final

import msgspec
from aiohttp import hdrs, web

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from collector.intake_http import MSGPACK
from collector.sources import token_hash
from wire.codec import decode_body, encode_body
from wire.errors import DecodeError
from wire.ids import OPERATOR
from wire.incident import MaintenanceSaid, MaintenanceStep
from wire.kinds import Kind

PATH: Final = "/v1/maintenance"
_KIND_VERSION: Final = 1


class MaintenanceDoor:
    """The door. token_digest: SHA-256 of the token it wants, as hex."""

    def __init__(self, intake: Intake, token_digest: str, clock_ms: Callable[[], int]) -> None:
        self._intake = intake
        self._token_digest = token_digest.lower()
        self._clock_ms = clock_ms

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.post(PATH, self._maintenance)]

    async def _maintenance(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not compare_digest(token_hash(token.strip()), self._token_digest):
            return web.Response(status=401, text="send the token of this data directory")
        try:
            said = decode_body(Kind.MAINTENANCE, _KIND_VERSION, await request.read())
        except DecodeError as error:
            return web.Response(status=422, text=f"not a word about planned work ({error.detail})")
        if not isinstance(said, MaintenanceSaid):
            return web.Response(status=422, text="not a word about planned work")
        try:
            stamped = await declare(self._intake, said, self._clock_ms())
        except (Busy, IntakeStopped):
            return web.Response(status=503, text="busy; say it again")
        return web.Response(body=encode_body(stamped), content_type=MSGPACK)


async def declare(intake: Intake, said: MaintenanceSaid, now: int) -> MaintenanceSaid:
    """Put a word about planned work on the record, as of `now` (ms); what was said of that step before stands.

    What starts or ends does so now, for as long as was said. Raises Busy, IntakeStopped.
    """
    stamped = msgspec.structs.replace(said, occurred_at=now)
    if said.step is MaintenanceStep.STARTED:
        stamped = msgspec.structs.replace(stamped, starts_at=now, ends_at=now + said.ends_at - said.starts_at)
    elif said.step is MaintenanceStep.ENDED:
        stamped = msgspec.structs.replace(stamped, ends_at=now)
    entry = derived.maintenance(stamped)
    before = await intake.latest(OPERATOR, entry.source, entry.epoch)
    if before.mark >= entry.sequence and isinstance(before.body, MaintenanceSaid):
        return before.body
    await intake.append_derived(OPERATOR, [entry], latest=True)
    return stamped
