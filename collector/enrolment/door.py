"""The enrolment door: HTTPS of its own, apart from what people look at. The hub's authority signed its certificate.

A certificate is not asked of whoever connects, but where one is shown it was checked by TLS before we see it.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from collector._core.bucket import Bucket
from collector.enrolment._core.desk import Refuse
from collector.enrolment.desk import Desk, Granted, Machine
from collector.peer import peer_address
from wire.enrolment import (
    AUTHORITY_PATH,
    ENROL_PATH,
    RENEW_PATH,
    ROLLOUT_PATH,
    EnrolAnswer,
    EnrolRefusal,
    EnrolRequest,
    Refusal,
    RolloutAnswer,
)

JSON: Final = "application/json"
_decode: Final = msgspec.json.Decoder(EnrolRequest).decode

# Format: statuses of RFC 9110.
PROBLEMS: Final[Mapping[Refusal, tuple[int, str]]] = {
    Refusal.UNKNOWN_CODE: (401, "no such code; ask for a new one, and mind 0 and o"),
    Refusal.EXPIRED: (401, "the code is too old; ask for a new one"),
    Refusal.USED: (409, "the code was used by another key; ask for a new one"),
    Refusal.WRONG_ADDRESS: (403, "this token is of no use from this address"),
    Refusal.UNKNOWN_HOST: (403, "the roster has no seat with this host name"),
    Refusal.FULL: (403, "as many machines as the token is for have come in"),
    Refusal.OTHER_MACHINE: (409, "another machine came in with this host name; if it was replaced, revoke it first"),
    Refusal.STILL_SPEAKING: (409, "somebody speaks in this name right now; stop it, then ask again"),
    Refusal.SEEN_TWICE: (409, "two machines speak in this name; find the copy, revoke the identity, enrol one again"),
    Refusal.REVOKED: (403, "this identity was revoked; ask for a new code"),
    Refusal.NOT_APPROVED: (403, "this machine was refused by a person"),
    Refusal.BAD_REQUEST: (422, "no certificate request for a P-256 key"),
    Refusal.TOO_OFTEN: (429, "too many attempts"),
}
_LATER: Final = frozenset({Refusal.STILL_SPEAKING, Refusal.TOO_OFTEN})


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of this door, from `[enrolment]` in defaults.toml.

    requests_*: of one address, behind which a whole site may be. failures_*: codes of one address that are not known.
    approval_poll_ms: how often a machine that waits asks again. retry_after_ms: when asking again may help.
    addresses_max: whose haste is remembered.
    """

    requests_per_s: int
    requests_burst: int
    failures_per_s: int
    failures_burst: int
    body_bytes_max: int
    body_timeout_ms: int
    approval_poll_ms: int
    retry_after_ms: int
    addresses_max: int


class EnrolmentDoor:
    """The routes. ring_of: the rollout ring of an identity; is_held: whether a ring is stopped."""

    def __init__(
        self,
        desk: Desk,
        settings: DoorSettings,
        *,
        ring_of: Callable[[str], str],
        is_held: Callable[[str], bool],
        monotonic_s: Callable[[], float] = monotonic,
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._ring_of = ring_of
        self._is_held = is_held
        self._monotonic_s = monotonic_s
        self._requests: dict[str, Bucket] = {}
        self._failures: dict[str, Bucket] = {}

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get(AUTHORITY_PATH, self._authority),
            web.post(ENROL_PATH, self._enrol),
            web.post(RENEW_PATH, self._renew),
            web.get(ROLLOUT_PATH, self._rollout),
        ]

    async def _authority(self, _: web.Request) -> web.Response:
        return web.Response(body=self._desk.authority.pem, content_type="application/x-pem-file")

    async def _enrol(self, request: web.Request) -> web.Response:
        address = peer_address(request)
        if self._comes_too_often(address):
            return self._refusal(Refusal.TOO_OFTEN)
        asked = await self._asked(request)
        if asked is None:
            return self._refusal(Refusal.BAD_REQUEST)
        answer = self._desk.enrol(asked.code, Machine(asked.host, asked.machine, address), asked.csr)
        unknown = isinstance(answer, Refuse) and answer.reason is Refusal.UNKNOWN_CODE
        rate = self._settings.failures_per_s, self._settings.failures_burst
        if unknown and self._is_too_often(self._failures, address, *rate):
            return self._refusal(Refusal.TOO_OFTEN)
        return self._answer(answer)

    async def _renew(self, request: web.Request) -> web.Response:
        address, shown = peer_address(request), shown_serial(request)
        if self._comes_too_often(address):  # each renewal is a certificate and an entry of the record
            return self._refusal(Refusal.TOO_OFTEN)
        if shown is None:
            return self._refusal(Refusal.UNKNOWN_CODE)
        asked = await self._asked(request)
        if asked is None:
            return self._refusal(Refusal.BAD_REQUEST)
        return self._answer(self._desk.renew(shown, Machine(asked.host, asked.machine, address), asked.csr))

    async def _rollout(self, request: web.Request) -> web.Response:
        shown = shown_serial(request)
        certificate = None if shown is None else self._desk.store.certificate(shown)
        if certificate is None or certificate.is_revoked:
            return self._refusal(Refusal.UNKNOWN_CODE if certificate is None else Refusal.REVOKED)
        ring = self._ring_of(certificate.identity)
        return _json(200, RolloutAnswer(ring, self._is_held(ring)))

    async def _asked(self, request: web.Request) -> EnrolRequest | None:
        if hdrs.CONTENT_ENCODING in request.headers:  # nobody of ours compresses, and a small body may hide a large one
            return None
        size_max = self._settings.body_bytes_max
        try:
            async with asyncio.timeout(self._settings.body_timeout_ms / 1000):
                body = await request.content.read(size_max + 1)
                while len(body) <= size_max and not request.content.at_eof():
                    body += await request.content.read(size_max + 1 - len(body))
            return None if len(body) > size_max else _decode(body)
        except (TimeoutError, msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def _answer(self, answer: object) -> web.Response:
        if isinstance(answer, Refuse):
            return self._refusal(answer.reason)
        if isinstance(answer, Granted):
            pem = answer.pem.decode()
            return _json(200, EnrolAnswer(answer.identity, pem, answer.seat, answer.not_before, answer.not_after))
        return _json(202, EnrolAnswer("", retry_after_ms=self._settings.approval_poll_ms))

    def _refusal(self, reason: Refusal) -> web.Response:
        status, problem = PROBLEMS[reason]
        return _json(status, EnrolRefusal(reason, problem, self._settings.retry_after_ms if reason in _LATER else 0))

    def _comes_too_often(self, address: str) -> bool:
        settings = self._settings
        return self._is_too_often(self._requests, address, settings.requests_per_s, settings.requests_burst)

    def _is_too_often(self, buckets: dict[str, Bucket], address: str, per_second: int, burst: int) -> bool:
        now_ms = int(self._monotonic_s() * 1000)
        bucket = buckets.get(address)
        if bucket is None:
            if len(buckets) >= self._settings.addresses_max:
                del buckets[next(iter(buckets))]
            bucket = buckets[address] = Bucket(per_second, burst, now_ms)
        if bucket.wait_ms(now_ms):
            self._desk.refusals[Refusal.TOO_OFTEN] += 1
            return True
        return False


def tls_context(authority_pem: bytes) -> ssl.SSLContext:
    """TLS of the door, without its own certificate yet. Certificates shown are checked, none is demanded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority_pem.decode())
    return context


def shown_serial(request: web.Request) -> str | None:
    """The serial (hex) of the certificate that was shown and checked."""
    transport = request.transport
    certificate: dict[str, Any] = {} if transport is None else transport.get_extra_info("peercert") or {}
    serial = certificate.get("serialNumber")
    return None if serial is None else f"{int(serial, 16):x}"


def _json(status: int, body: msgspec.Struct) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type=JSON)
