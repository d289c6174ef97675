"""Who may speak: what became of a probe's identity, for the operator's ledger."""

from enum import StrEnum

from wire._fields import Name, Word
from wire.body import Body


class IdentityStep(StrEnum):
    """What happened to an identity. RETURNED: the same machine came back without its key, its disk restored."""

    ENROLLED = "enrolled"
    RENEWED = "renewed"
    RETURNED = "returned"
    REVOKED = "revoked"
    SEEN_TWICE = "seen_twice"


class IdentitySaid(Body, frozen=True, array_like=True, gc=False):
    """One step of one identity, which is a source id `<site>/<probe>`.

    serial: of the certificate concerned, hex; "" = none. host: the machine's host name. machine: a digest that tells
    machines apart and names none. by: who decided, "" = the rules alone. reason: why, in a word.
    """

    identity: Name
    step: IdentityStep
    serial: Word = ""
    host: Word = ""
    machine: Word = ""
    by: Word = ""
    reason: Word = ""
