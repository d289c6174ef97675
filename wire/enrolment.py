"""What a machine and the hub's enrolment door say to each other, as JSON over HTTPS.

`POST ENROL_PATH` with a code, `POST RENEW_PATH` with the certificate that is about to end, `GET ROLLOUT_PATH` with it,
`GET AUTHORITY_PATH` for the authority's certificate, whose fingerprint a person hands over beside the code.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire._fields import Instant, OptionalName, Word
from wire.limits import PEM_CHARS_MAX

ENROL_PATH: Final = "/v1/enrol"
RENEW_PATH: Final = "/v1/enrol/renew"
AUTHORITY_PATH: Final = "/v1/enrol/authority"
ROLLOUT_PATH: Final = "/v1/rollout"

Pem = Annotated[str, Meta(max_length=PEM_CHARS_MAX)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class Refusal(StrEnum):
    """Why an identity is not handed out."""

    UNKNOWN_CODE = "unknown_code"
    EXPIRED = "expired"
    USED = "used"
    WRONG_ADDRESS = "wrong_address"
    UNKNOWN_HOST = "unknown_host"
    FULL = "full"
    OTHER_MACHINE = "other_machine"
    STILL_SPEAKING = "still_speaking"
    SEEN_TWICE = "seen_twice"
    REVOKED = "revoked"
    NOT_APPROVED = "not_approved"
    BAD_REQUEST = "bad_request"
    TOO_OFTEN = "too_often"


class Access(StrEnum):
    """What a broker denies: a certificate, a message on another's topic, a subscription outside one's own."""

    CONNECT = "connect"
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


class EnrolRequest(msgspec.Struct, frozen=True):
    """code: a claim code or a batch token; "" when renewing. machine: a digest that tells machines apart.

    csr: a PKCS #10 request in PEM for a P-256 key; what it says of its subject is not looked at.
    """

    csr: Pem
    machine: Digest
    host: Word
    code: Word = ""


class EnrolAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """certificate: PEM; "" while a person has to approve, then ask again after `retry_after_ms`. Times in ms."""

    identity: OptionalName
    certificate: Pem = ""
    seat: OptionalName = ""
    not_before: Instant = 0
    not_after: Instant = 0
    retry_after_ms: Instant = 0


class EnrolRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """error: a fixed word. problem: a sentence for a person. retry_after_ms: 0 = asking again is of no use."""

    error: Word
    problem: Word
    retry_after_ms: Instant = 0


class RolloutAnswer(msgspec.Struct, frozen=True):
    """Whether machines of the asker's ring may be changed to another version now."""

    ring: OptionalName
    is_held: bool
