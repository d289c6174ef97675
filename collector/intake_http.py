"""The HTTP door: `POST /v1/events` takes the same frame as MQTT does, as MessagePack or as JSON.

200 is said only after the commit. What refuses a frame before that (401, 403, 408, 413, 415, 422, 429, 503) stored
nothing of it; 409 means that the frame is durable, but contradicts what was stored before.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

import msgspec
from aiohttp import StreamReader, hdrs, web

from collector._core.bucket import Bucket
from collector.api_document import openapi
from collector.errors import Busy, ForeignSource, IdentityEnded, IntakeStopped
from collector.intake import Intake
from collector.json_frame import FieldError, JsonFrame, decode_json_frame, json_ack
from collector.peer import peer_address
from collector.sources import Principal, Sources
from collector.stats import DoorStats
from wire.codec import decode_frame, encode_ack
from wire.errors import DecodeError, Reason
from wire.frame import Ack, Frame
from wire.limits import FRAME_BYTES_MAX
from wire.witness import WITNESS_PATH, WitnessAnswer, WitnessRequest

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
_MSGPACK_NAMES: Final = frozenset({MSGPACK, "application/x-msgpack", "application/vnd.msgpack"})
_CONTRADICTIONS: Final = frozenset({Reason.EQUIVOCATION, Reason.SEQUENCE_REPEATED_IN_FRAME})

_to_json = msgspec.json.encode
_to_msgpack = msgspec.msgpack.encode
_decode_witness: Final = msgspec.json.Decoder(WitnessRequest).decode


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of this door, from `[collector]` in defaults.toml.

    requests_per_s, requests_burst: for each source that a credential speaks for. body_timeout_ms: how slowly a body may
    arrive. retry_after_ms: what a sender is told when we are stopping.
    """

    requests_per_s: int
    requests_burst: int
    body_timeout_ms: int
    retry_after_ms: int


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a frame was not simply taken. error: a fixed word. field: path of the place in the document, if any."""

    error: str
    problem: str
    field: str = ""


class _Refused(Exception):
    """Ends a request with `status`."""

    def __init__(self, status: int, problem: Problem, retry_after_ms: int = 0) -> None:
        super().__init__(problem.error)
        self.status = status
        self.problem = problem
        self.retry_after_ms = retry_after_ms


def routes(intake: Intake, sources: Sources, settings: HttpSettings) -> list[web.RouteDef]:
    """The routes of a door on `intake`."""
    return HttpDoor(intake, sources, settings).routes()


class HttpDoor:
    """One HTTP door. Its stats count what it refused before the intake saw it."""

    def __init__(
        self,
        intake: Intake,
        sources: Sources,
        settings: HttpSettings,
        *,
        identify: Callable[[web.Request], Principal | None] = lambda _: None,
        accepts: Callable[[Frame], bool] = lambda _: True,
        monotonic_s: Callable[[], float] = monotonic,
    ) -> None:
        """identify: whom the certificate shown with a request speaks for, None = none was shown; IdentityEnded.

        accepts: whether to take a frame of a source that is who it says.
        """
        self.stats = DoorStats()
        self._intake = intake
        intake.stats.doors.append(self.stats)
        self._sources = sources
        self._settings = settings
        self._identify = identify
        self._accepts = accepts
        self._monotonic_s = monotonic_s
        self._buckets: dict[Principal, Bucket] = {}

    def routes(self) -> list[web.RouteDef]:
        """POST /v1/events, its description for machines, and what a gateway asks over each of its lines."""
        return [
            web.post("/v1/events", self._events),
            web.post(WITNESS_PATH, self._witness),
            web.get("/openapi.json", self._openapi),
        ]

    async def _events(self, request: web.Request) -> web.Response:
        answer_msgpack = _answers_in_msgpack(request)
        try:
            principal = self._authenticate(request)
            self._limit_rate(principal)
            said = self._decode(request, await self._body(request))
            ack = await self._submit(said.frame, principal)
            await self._intake.connections.seen(said.frame.source, peer_address(request))
        except _Refused as refused:
            return _refusal(refused, answer_msgpack=answer_msgpack)
        self.stats.acknowledged += 1
        return _acknowledgement(ack, said, answer_msgpack=answer_msgpack)

    async def _witness(self, request: web.Request) -> web.Response:
        """Put on record from which address this comes, and say so. A source asks for its own lines alone."""
        try:
            principal = self._authenticate(request)
            self._limit_rate(principal)
            asked = self._asked_over(await self._body(request), principal)
            address = peer_address(request)
            await self._intake.connections.witnessed(asked.source, asked.line, address)
        except _Refused as refused:
            return _refusal(refused, answer_msgpack=False)
        return web.Response(body=_to_json(WitnessAnswer(address)), content_type=JSON)

    def _asked_over(self, body: bytes, principal: Principal) -> WitnessRequest:
        try:
            asked = _decode_witness(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise _Refused(422, Problem("witness", f"send source and line: {error}")) from None
        if not principal.speaks_for(asked.source):
            raise self._foreign()
        return asked

    def _authenticate(self, request: web.Request) -> Principal:
        """By certificate, else by token. Who shows a certificate that ended is not let in by a token beside it."""
        try:
            identified = self._identify(request)
        except IdentityEnded:
            self.stats.unauthorised += 1
            raise _Refused(403, Problem("identity_ended", "the certificate holds no longer: enrol anew")) from None
        if identified is not None:
            return identified
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        shown = token.strip() if scheme.lower() == "bearer" else ""
        principal = self._sources.principal_of(shown)
        if principal is None:
            self.stats.unauthorised += 1
            wanted = "send the header Authorization: Bearer <token of the source>"
            raise _Refused(401, Problem("unauthorised", "no source has this token" if shown else wanted))
        return principal

    def _limit_rate(self, principal: Principal) -> None:
        now_ms = int(self._monotonic_s() * 1000)
        sources = len(principal.sources)  # a site's token is that of each of its probes
        bucket = self._buckets.get(principal)
        if bucket is None:
            bucket = Bucket(self._settings.requests_per_s * sources, self._settings.requests_burst * sources, now_ms)
            self._buckets[principal] = bucket
        wait_ms = bucket.wait_ms(now_ms)
        if wait_ms:
            self.stats.too_often += 1
            problem = f"at most {self._settings.requests_per_s * sources} requests a second; put more items into each"
            raise _Refused(429, Problem("too_often", problem), wait_ms)

    async def _body(self, request: web.Request) -> bytes:
        """The body as it came. Compressed bodies are not accepted: a small one may hide a large one."""
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
            raise _Refused(415, Problem("compressed", "send the body uncompressed"))
        if request.content_type != JSON and request.content_type not in _MSGPACK_NAMES:
            raise _Refused(415, Problem("content_type", f"send {JSON} or {MSGPACK}"))
        if (request.content_length or 0) > FRAME_BYTES_MAX:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._settings.body_timeout_ms / 1000):
                return await self._read(request.content)
        except TimeoutError:
            raise _Refused(408, Problem("too_slow", "the body did not arrive in time")) from None

    async def _read(self, content: StreamReader) -> bytes:
        body = bytearray()
        async for chunk in content.iter_any():
            body += chunk
            if len(body) > FRAME_BYTES_MAX:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> _Refused:
        self.stats.refused[Reason.TOO_LARGE] += 1
        return _Refused(413, Problem(Reason.TOO_LARGE, f"a frame has at most {FRAME_BYTES_MAX} bytes; send several"))

    def _decode(self, request: web.Request, body: bytes) -> JsonFrame:
        self.stats.frames += 1
        self.stats.bytes += len(body)
        try:
            return decode_json_frame(body) if request.content_type == JSON else JsonFrame(decode_frame(body), {}, {})
        except FieldError as error:
            self.stats.refused[error.reason] += 1
            raise _Refused(422, Problem(error.reason, error.problem, error.field)) from None
        except DecodeError as error:
            self.stats.refused[error.reason] += 1
            raise _Refused(422, Problem(error.reason, error.detail)) from None

    async def _submit(self, frame: Frame, principal: Principal) -> Ack:
        if principal.speaks_for(frame.source) and not self._accepts(frame):
            self.stats.refused[Reason.SEEN_TWICE] += 1
            raise _Refused(403, Problem(Reason.SEEN_TWICE, "two processes speak as one source", "$.source"))
        try:
            return await self._intake.submit(frame, principal)
        except ForeignSource:
            raise self._foreign() from None
        except Busy as busy:
            raise _Refused(503, Problem("busy", "nothing was stored; send it again"), busy.retry_after_ms) from None
        except IntakeStopped:
            problem = Problem("stopping", "not known whether it was stored; send it again, a repeat adds nothing")
            raise _Refused(503, problem, self._settings.retry_after_ms) from None

    def _foreign(self) -> _Refused:
        self.stats.refused[Reason.FOREIGN_SOURCE] += 1
        problem = "this token or certificate does not speak for that source"
        return _Refused(403, Problem(Reason.FOREIGN_SOURCE, problem, "$.source"))

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.Response(body=_to_json(openapi(Problem)), content_type=JSON)


def _answers_in_msgpack(request: web.Request) -> bool:
    """What the Accept header asks for; without one, whatever the request itself speaks."""
    accepted = request.headers.get(hdrs.ACCEPT, "")
    if any(name in accepted for name in _MSGPACK_NAMES):
        return True
    return JSON not in accepted and request.content_type in _MSGPACK_NAMES


def _acknowledgement(ack: Ack, said: JsonFrame, *, answer_msgpack: bool) -> web.Response:
    status = 409 if any(item.reason in _CONTRADICTIONS for item in ack.rejected) else 200
    if answer_msgpack:
        return web.Response(status=status, body=encode_ack(ack), content_type=MSGPACK)
    return web.Response(status=status, body=_to_json(json_ack(ack, said)), content_type=JSON)


def _refusal(refused: _Refused, *, answer_msgpack: bool) -> web.Response:
    body = _to_msgpack(refused.problem) if answer_msgpack else _to_json(refused.problem)
    response = web.Response(status=refused.status, body=body, content_type=MSGPACK if answer_msgpack else JSON)
    if refused.retry_after_ms:
        response.headers[hdrs.RETRY_AFTER] = str(-(-refused.retry_after_ms // 1000))
    if refused.status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return response
