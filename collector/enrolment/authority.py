"""The hub's own certificate authority: one key in a folder of its own, read only by its owner.

It signs three things: identities of probes, the hub's and the broker's own certificates, and the list of what is
revoked.
"""

import os
import secrets
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.enrolment.errors import EnrolmentError
from wire.limits import IDENTITY_CHARS_MAX

KEY_FILE: Final = "ca.key"
CERTIFICATE_FILE: Final = "ca.pem"
# Format: RFC 5280, section 4.1.2.2: positive, at most 20 octets.
_SERIAL_BITS: Final = 127
_CURVE: Final = ec.SECP256R1


class Span(NamedTuple):
    """When a certificate holds, in ms since the Unix epoch; whole seconds of it."""

    not_before: int
    not_after: int


class Request(NamedTuple):
    """A certificate request that was looked at. key: digest of its public key."""

    public_key: ec.EllipticCurvePublicKey
    key: str


class Pair(NamedTuple):
    """A key and its certificate, as PEM."""

    key: bytes
    certificate: bytes


class Authority:
    """An authority that exists. Made by `create`, found again by `open`."""

    def __init__(self, directory: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.directory = directory
        self._key = key
        self._certificate = certificate

    @staticmethod
    def create(directory: Path, name: str, span: Span) -> "Authority":
        """Make the key and the certificate of `name`. Raises EnrolmentError where there is one already, OSError."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (directory / KEY_FILE).exists():
            raise EnrolmentError(f"{directory}: an authority is there already; `seatwatch authority show` shows it")
        key = ec.generate_private_key(_CURVE())
        subject = _name(f"Seatwatch authority of {name}"[:IDENTITY_CHARS_MAX])
        certificate = (
            _builder(subject, subject, key.public_key(), span, new_serial())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_secret(directory / CERTIFICATE_FILE, certificate.public_bytes(serialization.Encoding.PEM))
        write_secret(directory / KEY_FILE, _key_pem(key))
        return Authority(directory, key, certificate)

    @staticmethod
    def open(directory: Path) -> "Authority":
        """The authority in `directory`. Raises EnrolmentError when there is none, it is open to others or damaged."""
        try:
            if os.name == "posix" and (directory / KEY_FILE).stat().st_mode & 0o077:
                raise EnrolmentError(f"{directory / KEY_FILE} can be read by others; chmod 600 it")
            key = serialization.load_pem_private_key((directory / KEY_FILE).read_bytes(), password=None)
            certificate = x509.load_pem_x509_certificate((directory / CERTIFICATE_FILE).read_bytes())
        except FileNotFoundError:
            raise EnrolmentError(f"{directory}: no authority yet; make it with `seatwatch authority init`") from None
        except (OSError, ValueError, TypeError) as error:
            raise EnrolmentError(f"{directory}: the authority cannot be read ({type(error).__name__})") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise EnrolmentError(f"{directory}: key and certificate do not belong together; restore both")
        return Authority(directory, key, certificate)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for everybody."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hex: what a person hands over beside a code."""
        return sha256(self._certificate.public_bytes(serialization.Encoding.DER)).hexdigest()

    @property
    def not_after(self) -> int:
        """When the authority's own certificate ends, in ms."""
        return int(self._certificate.not_valid_after_utc.timestamp()) * 1000

    def sign(self, request: Request, identity: str, serial: int, span: Span) -> bytes:
        """A probe's certificate as PEM. Nothing of the request counts but its key: the hub says who somebody is."""
        return self._leaf(identity, request.public_key, serial, span, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def client(self, name: str, span: Span) -> Pair:
        """A key and certificate for a part of the hub itself."""
        return self._pair(name, span, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def server(self, hosts: tuple[str, ...], span: Span) -> Pair:
        """A key and certificate for a server that is reached by `hosts`: names or addresses, at least one."""
        # a host's name may be longer than a subject's; whoever connects goes by the names beside it
        return self._pair(hosts[0][:IDENTITY_CHARS_MAX], span, ExtendedKeyUsageOID.SERVER_AUTH, hosts)

    def revocations(self, revoked: dict[str, int], number: int, issued_at: int, until: int) -> bytes:
        """The list of what is revoked, as PEM. revoked: serial (hex) -> when, in ms. number: grows with every list."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(_instant(issued_at))
            .next_update(_instant(until))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._issuer_key(), critical=False)
        )
        for serial, at in sorted(revoked.items()):
            revocation = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(_instant(at))
            builder = builder.add_revoked_certificate(revocation.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _pair(self, name: str, span: Span, usage: x509.ObjectIdentifier, hosts: tuple[str, ...]) -> Pair:
        key = ec.generate_private_key(_CURVE())
        return Pair(_key_pem(key), self._leaf(name, key.public_key(), new_serial(), span, usage, hosts))

    def _leaf(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        serial: int,
        span: Span,
        usage: x509.ObjectIdentifier,
        hosts: tuple[str, ...],
    ) -> bytes:
        builder = (
            _builder(_name(name), self._certificate.subject, key, span, serial)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(self._issuer_key(), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(h) for h in hosts]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issuer_key(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())


def read_request(pem: str) -> Request:
    """A certificate request. Raises EnrolmentError unless it is one for a P-256 key and signed with that key."""
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        key = csr.public_key()
        is_signed = csr.is_signature_valid
    except (ValueError, TypeError, InvalidSignature):
        raise EnrolmentError("csr: not a certificate request in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVE) or not is_signed:
        raise EnrolmentError("csr: make it for a P-256 key, signed with that key")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Request(key, sha256(der).hexdigest())


def new_serial() -> int:
    """A random serial number; nobody can tell from one how many there are."""
    return secrets.randbits(_SERIAL_BITS) | 1


def write_secret(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, never readable by more than `mode` says."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(mode)  # whatever the umask took away
    beside.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: Span, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(_instant(span.not_before))
        .not_valid_after(_instant(span.not_after))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, tz=UTC)
