"""Talking to the hub's enrolment door, from a process of its own: nothing here hurries, and it ends.

* ProbeUnavailable: the hub cannot be reached now; try again.
* EnrolmentRefused: the hub said no. retry_after_ms 0: asking again is of no use.
"""

import http.client
import ssl
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from agent_probe.errors import ProbeConfigError, ProbeError, ProbeUnavailable
from agent_probe.host_names import host_faults
from wire.enrolment import (
    AUTHORITY_PATH,
    ENROL_PATH,
    RENEW_PATH,
    ROLLOUT_PATH,
    EnrolAnswer,
    EnrolRefusal,
    EnrolRequest,
    RolloutAnswer,
)
from wire.limits import FRAME_BYTES_MAX

# Format: the port of our own door, as the hub's configuration has it.
DOOR_PORT: Final = 8743
_OK: Final = frozenset({200, 202})
# Format: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL.
OUT_OF_TIME: Final = frozenset({9, 10})
"""What a clock that is wrong makes of a certificate that is right."""
_decode_answer: Final = msgspec.json.Decoder(EnrolAnswer).decode
_decode_refusal: Final = msgspec.json.Decoder(EnrolRefusal).decode
_decode_rollout: Final = msgspec.json.Decoder(RolloutAnswer).decode


class EnrolmentRefused(ProbeError):
    """The hub's refusal, as it said it."""

    def __init__(self, refusal: EnrolRefusal) -> None:
        super().__init__(f"{refusal.error}: {refusal.problem}")
        self.refusal = refusal


class Hub(NamedTuple):
    """Where the door is."""

    host: str
    port: int

    @staticmethod
    def at(url: str) -> "Hub":
        """The hub at an https URL. Raises ProbeConfigError."""
        parts = urlsplit(url)
        try:
            port = parts.port or DOOR_PORT
        except ValueError:
            port = 0
        is_host = bool(parts.hostname) and not any(host_faults("--hub", parts.hostname or ""))
        if parts.scheme != "https" or not parts.hostname or not is_host or not port:
            fix = "write it as the hub printed it, such as https://hub.example.com:8743"
            raise ProbeConfigError("--hub", f"{url!r} is no https address", fix)
        return Hub(parts.hostname, port)


class Door:
    """One hub's door. timeout_s: of connecting, and of each answer."""

    def __init__(self, hub: Hub, timeout_s: float) -> None:
        self._hub = hub
        self._timeout_s = timeout_s

    def authority(self, pin: str) -> str:
        """The authority's certificate, as PEM, if it is the one `pin` is of. ProbeConfigError, ProbeUnavailable.

        This one answer comes from whoever has the address; the pin, which a person brought, says whether to believe it.
        """
        unchecked = ssl.create_default_context()
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        pem = self._ask("GET", AUTHORITY_PATH, unchecked).decode("ascii", "replace")
        try:
            found = sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        except ValueError:
            raise ProbeUnavailable("hub", "answered with no certificate; is it the hub's enrolment port?") from None
        if found != pin.strip().lower():
            fix = "compare it with `seatwatch authority show` on the hub; do not go on with another one"
            raise ProbeConfigError("--pin", f"the authority there is {found}", fix)
        return pem

    def enrol(self, authority: str, asked: EnrolRequest) -> EnrolAnswer:
        """Show a code. The answer has no certificate while a person has to approve."""
        body = msgspec.json.encode(asked)
        return self._answer(self._ask("POST", ENROL_PATH, ssl.create_default_context(cadata=authority), body))

    def renew(self, authority: str, pair: Path, asked: EnrolRequest) -> EnrolAnswer:
        """Show the present certificate, get the next."""
        context = self._showing(authority, pair)
        return self._answer(self._ask("POST", RENEW_PATH, context, msgspec.json.encode(asked)))

    def rollout(self, authority: str, pair: Path) -> RolloutAnswer:
        """Whether this machine may be changed to another version now."""
        said = self._ask("GET", ROLLOUT_PATH, self._showing(authority, pair))
        try:
            return _decode_rollout(said)
        except msgspec.MsgspecError:
            raise ProbeUnavailable("hub", "answered what we do not understand") from None

    @staticmethod
    def _showing(authority: str, pair: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=authority)
        context.load_cert_chain(pair)
        return context

    @staticmethod
    def _answer(said: bytes) -> EnrolAnswer:
        try:
            return _decode_answer(said)
        except msgspec.MsgspecError:
            raise ProbeUnavailable("hub", "answered what we do not understand") from None

    def _ask(self, method: str, path: str, context: ssl.SSLContext, body: bytes | None = None) -> bytes:
        headers: Mapping[str, str] = {} if body is None else {"Content-Type": "application/json"}
        connection = http.client.HTTPSConnection(
            self._hub.host, self._hub.port, timeout=self._timeout_s, context=context
        )
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            said = response.read(FRAME_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            is_out_of_time = isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in OUT_OF_TIME
            hint = "; is the clock of this machine right?" if is_out_of_time else ""
            raise ProbeUnavailable("hub", f"{self._hub.host}:{self._hub.port}: {error}{hint}") from None
        finally:
            connection.close()
        if response.status in _OK:
            return said
        try:
            refusal = _decode_refusal(said)
        except msgspec.MsgspecError:
            raise ProbeUnavailable("hub", f"answered {response.status}") from None
        raise EnrolmentRefused(refusal)
