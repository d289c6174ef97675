"""Machines that ask for identities, and a desk to ask."""

from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.enrolment._core.codes import digest
from collector.enrolment._core.desk import Batch, DeskLimits
from collector.enrolment.authority import Authority, Span
from collector.enrolment.desk import Desk, Machine
from collector.enrolment.store import EnrolmentStore, Place

NOW = 1_795_300_000_000
MINUTE = 60_000
DAY = 86_400_000
LIMITS = DeskLimits(
    claim_ms=15 * MINUTE,
    batch_longest_ms=12 * 60 * MINUTE,
    certificate_ms=30 * DAY,
    backdate_ms=60 * MINUTE,
    live_ms=30_000,
    alarm_again_ms=10 * MINUTE,
)
CODE = "abcde-fghjk-mnpqr-stvwx-yz012-3"
TOKEN = "batch-batch-batch-batch-batch-0"


class Pc:
    """A machine: its host name, its id, and the key it has until its disk is restored."""

    def __init__(self, host: str, address: str = "203.0.113.7", machine: str = "") -> None:
        self.about = Machine(host, sha256((machine or host).encode()).hexdigest(), address)
        self.key = ec.generate_private_key(ec.SECP256R1())

    def request(self) -> str:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whoever I like to be")])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.key, hashes.SHA256())
        return csr.public_bytes(serialization.Encoding.PEM).decode()

    def restored(self) -> "Pc":
        """The same machine after its disk was restored: another key."""
        other = Pc(self.about.host)
        other.about = self.about
        return other


class Office:
    """A desk with a clock of its own and what the hub hears."""

    def __init__(self, directory: Path, now: int = NOW) -> None:
        self.now = now
        self.heard: dict[str, int] = {}
        self.changes = 0
        authority = Authority.create(directory / "authority", "hub", Span(now - DAY, now + 3650 * DAY))
        self.store = EnrolmentStore(directory / "authority", lock_wait_s=1)
        self.desk = Desk(
            authority,
            self.store,
            LIMITS,
            clock_ms=lambda: self.now,
            heard_at=self.heard.get,
            changed=self._count,
        )

    def claim(self, identity: str = "site1/gateway") -> None:
        self.store.add_claim(digest(CODE), identity, self.now, self.now + LIMITS.claim_ms, "root")

    def batch(self, *hosts: str, count: int = 10) -> None:
        places = {host: Place(f"site1/seat-{number:02d}", f"A-{number}") for number, host in enumerate(hosts, 1)}
        batch = Batch("site1-b", "site1", count, self.now + 8 * 60 * MINUTE, ("203.0.113.0/24",))
        self.store.add_batch(batch, digest(TOKEN), places, self.now, "root")

    def steps(self) -> list[tuple[str, str]]:
        return [(body.identity, body.step.value) for _, body in self.store.unrecorded()]

    def _count(self) -> None:
        self.changes += 1
