"""Keys and requests. Imported by the process that enrols, which ends; the daemon never loads it."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wire.limits import IDENTITY_CHARS_MAX


def new_key() -> str:
    """A fresh P-256 key as PEM. It never leaves this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def request(key_pem: str, host: str) -> str:
    """A certificate request for a key, as PEM. Raises ValueError or TypeError for a key that is none."""
    key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a P-256 key")
    # what it says of the subject is not looked at by the hub, which decides the name itself
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:IDENTITY_CHARS_MAX] or "probe")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()
